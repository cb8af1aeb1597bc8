//! The knee of a sweep over pool sizes: where a larger pool stops paying.

/// A larger pool pays if it is more than this many times as fast in every round.
pub const PAYS: f64 = 1.1;

/// For each size, the speed-up over it of the best larger one: its own time over the larger one's.
///
/// `times_s` has for each size its times by round. Two sizes are compared round by round, and the
/// round with the least gain counts: what shows in all rounds is no whim of the machine. The
/// largest size has no larger one: 1.
pub fn gains_of_larger(times_s: &[Vec<f64>]) -> Vec<f64> {
    let gains = times_s.iter().enumerate().map(|(index, own)| {
        let larger = times_s[index + 1..].iter();
        let gains = larger.filter_map(|larger| least_ratio(own, larger));
        gains.reduce(f64::max).unwrap_or(1.0)
    });
    gains.collect()
}

/// The place of the knee: the first size over which no larger one gains more than [`PAYS`].
///
/// `None` where that is the largest: then the sweep ended before its knee.
pub fn find_knee(gains: &[f64]) -> Option<usize> {
    let knee = gains.iter().position(|gain| *gain <= PAYS)?;
    (knee + 1 < gains.len()).then_some(knee)
}

fn least_ratio(own: &[f64], larger: &[f64]) -> Option<f64> {
    let ratios = own.iter().zip(larger).map(|(own, larger)| own / larger);
    ratios.reduce(f64::min)
}

/// How many times as fast as the `first` size one is: the median of the ratios by round.
pub fn speedup(first: &[f64], own: &[f64]) -> f64 {
    let ratios: Vec<f64> = first.iter().zip(own).map(|(one, own)| one / own).collect();
    median(&ratios)
}

/// The middle value, the lower of two.
///
/// # Panics
/// If there are no values.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn knee(times_s: &[&[f64]]) -> Option<usize> {
        let times_s: Vec<Vec<f64>> = times_s.iter().map(|times| times.to_vec()).collect();
        find_knee(&gains_of_larger(&times_s))
    }

    #[test]
    fn the_knee_is_the_first_size_that_no_larger_one_beats() {
        assert_eq!(knee(&[&[8.0], &[4.0], &[3.9], &[4.1]]), Some(1));
        assert_eq!(knee(&[&[1.0], &[1.0], &[1.0]]), Some(0));
    }

    #[test]
    fn the_speed_up_is_that_of_the_middle_round_and_not_of_the_middle_times() {
        assert_eq!(speedup(&[8.0, 2.0, 9.0], &[4.0, 2.0, 3.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.0);
    }

    #[test]
    fn a_plateau_before_a_gain_is_no_knee() {
        assert_eq!(knee(&[&[8.0], &[8.0], &[4.0], &[4.0]]), Some(2));
    }

    #[test]
    fn a_sweep_that_still_gains_at_its_end_has_no_knee() {
        assert_eq!(knee(&[&[8.0], &[4.0], &[2.0]]), None);
        assert_eq!(knee(&[&[8.0]]), None);
        assert_eq!(knee(&[]), None);
    }

    #[test]
    fn a_gain_counts_only_if_every_round_shows_it() {
        // The machine was slow in the middle round, for all sizes alike.
        let slow: [&[f64]; 3] = [&[4.0, 9.0, 4.0], &[2.0, 4.5, 2.0], &[2.0, 4.4, 2.1]];
        assert_eq!(knee(&slow), Some(1));
        // The largest was lucky in two of three rounds.
        let lucky: [&[f64]; 3] = [&[4.0; 3], &[2.0; 3], &[0.5, 0.5, 2.0]];
        assert_eq!(knee(&lucky), Some(1));
    }

    proptest! {
        #[test]
        fn no_size_from_the_knee_on_gains_and_every_one_before_it_is_beaten(
            times_s in prop::collection::vec(prop::collection::vec(0.1_f64..10.0, 3), 1..8)
        ) {
            let gains = gains_of_larger(&times_s);
            prop_assert_eq!(gains.len(), times_s.len());
            let knee = find_knee(&gains).unwrap_or(gains.len() - 1);
            prop_assert!(gains[knee] <= PAYS);
            prop_assert!(gains[..knee].iter().all(|gain| *gain > PAYS));
        }
    }
}
