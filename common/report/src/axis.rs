//! Which pictures share an axis.

/// A picture shares the longest one's axis unless it would be less than this part of it.
const SMALLEST_PART: f64 = 16.0;

/// What decides over the axis of a picture.
#[derive(Clone, Copy, Debug)]
pub struct OnAxis {
    /// How long it took.
    pub wall_s: f64,
    /// Whether it did the first variant's work, so that their lengths are compared.
    pub same_work: bool,
}

/// How long the axis of one of `all` is: the longest one's, unless it would be too small to see there.
///
/// Variants that do the same work stay together where the longest of them is long enough for all.
pub fn axis_of(one: OnAxis, all: &[OnAxis]) -> f64 {
    let longest = all.iter().map(|one| one.wall_s).fold(0.0, f64::max);
    let too_small = |one: &OnAxis, axis_s: f64| one.wall_s * SMALLEST_PART < axis_s;
    let alike = || all.iter().filter(|other| other.same_work == one.same_work);
    let longest_alike = alike().map(|one| one.wall_s).fold(0.0, f64::max);
    if !alike().any(|one| too_small(one, longest)) {
        longest
    } else if one.same_work && !alike().any(|one| too_small(one, longest_alike)) {
        longest_alike
    } else if too_small(&one, longest) {
        one.wall_s
    } else {
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_work_shares_an_axis_beside_a_longer_one() {
        let on_axis = |wall_s, same_work| OnAxis { wall_s, same_work };
        let all = [on_axis(0.4, true), on_axis(0.03, true), on_axis(2.5, false)];
        let axes = all.map(|one| axis_of(one, &all));
        assert_eq!(axes, [0.4, 0.4, 2.5]);
        let all = [on_axis(1.0, true), on_axis(0.2, true), on_axis(2.5, false)];
        assert_eq!(all.map(|one| axis_of(one, &all)), [2.5, 2.5, 2.5]);
        let all = [on_axis(1.0, true), on_axis(0.01, true)];
        assert_eq!(all.map(|one| axis_of(one, &all)), [1.0, 0.01]);
    }
}
