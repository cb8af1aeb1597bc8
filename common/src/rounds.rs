//! Values by round.

/// Repeats a single value so that both lists have a value per round.
pub(crate) fn align(
    left: Vec<Option<f64>>,
    right: Vec<Option<f64>>,
) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
    let (fewer, more) = (left.len().min(right.len()), left.len().max(right.len()));
    let rounds = if fewer == 1 { more } else { fewer };
    let stretch = |values: Vec<Option<f64>>| match values.as_slice() {
        [one] => vec![*one; rounds],
        many => many[..rounds].to_vec(),
    };
    (stretch(left), stretch(right))
}

/// One value, or the least and the greatest of several, with their unit.
pub(crate) fn span_of(show: fn(f64) -> String, values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    let least = show(known().fold(f64::INFINITY, f64::min));
    let most = show(known().fold(f64::NEG_INFINITY, f64::max));
    if values.contains(&None) || values.is_empty() {
        "–".into()
    } else if least == most {
        least
    } else {
        format!("{least}–{most}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_stands_beside_every_round_and_none_beside_no_round() {
        let rounds = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
        let aligned = |left: &[f64], right: &[f64]| align(rounds(left), rounds(right));
        assert_eq!(aligned(&[1.0, 2.0], &[9.0]).1, rounds(&[9.0, 9.0]));
        assert_eq!(
            aligned(&[1.0, 2.0, 3.0], &[8.0, 9.0]).0,
            rounds(&[1.0, 2.0])
        );
        assert_eq!(aligned(&[], &[9.0]), (vec![], vec![]));
    }
}
