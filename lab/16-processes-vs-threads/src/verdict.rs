//! Two lists of times, by round: faster, no detectable difference, or too noisy to tell.

use serde::Serialize;

/// Ten per cent: less than this is not told apart.
pub const MARGIN: f64 = 1.1;

/// One or two rounds that agree may do so by chance.
pub const LEAST_ROUNDS: usize = 3;

/// What the rounds say of two ways, the first and the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first was faster by more than [`MARGIN`] in every round, and in the middle round by more
    /// than the rounds differ among themselves.
    FirstFaster,
    /// The same of the second.
    SecondFaster,
    /// They were within [`MARGIN`] of each other in every round.
    NoDetectableDifference,
    /// Anything else, and fewer than [`LEAST_ROUNDS`] rounds.
    TooNoisy,
}

impl Verdict {
    /// The verdict with the names of the two ways.
    pub fn in_words(self, first: &str, second: &str) -> String {
        match self {
            Self::FirstFaster => format!("{first} faster"),
            Self::SecondFaster => format!("{second} faster"),
            Self::NoDetectableDifference => "no detectable difference".into(),
            Self::TooNoisy => "too noisy".into(),
        }
    }
}

/// Two ways compared round by round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The second's time over the first's, in the round where that is least.
    pub least_ratio: f64,
    /// The same in the middle round, the lower of two.
    pub median_ratio: f64,
    /// The same in the round where it is greatest.
    pub greatest_ratio: f64,
    /// The greatest over the least: how much the rounds differ among themselves.
    pub spread: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// Compares the times of two ways that took turns, one of each per round.
///
/// A round's two times stand side by side, so what the machine does to both cancels out. Rounds
/// without a time for both are left out.
pub fn compare_by_round(first_s: &[f64], second_s: &[f64]) -> Comparison {
    let rounds: Vec<(f64, f64)> = first_s
        .iter()
        .copied()
        .zip(second_s.iter().copied())
        .collect();
    let mut ratios: Vec<f64> = rounds
        .iter()
        .map(|(first, second)| second / first)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |index: usize| ratios.get(index).copied().unwrap_or(f64::NAN);
    let last = ratios.len().saturating_sub(1);
    let (least, median, greatest) = (at(0), at(last / 2), at(last));
    let spread = greatest / least;
    let all = |holds: fn(f64, f64) -> bool| rounds.iter().all(|(a, b)| holds(*a, *b));
    let verdict = if rounds.len() < LEAST_ROUNDS {
        Verdict::TooNoisy
    } else if all(|first, second| second / first > MARGIN) && median > spread {
        Verdict::FirstFaster
    } else if all(|first, second| first / second > MARGIN) && 1.0 / median > spread {
        Verdict::SecondFaster
    } else if all(|first, second| second / first <= MARGIN && first / second <= MARGIN) {
        Verdict::NoDetectableDifference
    } else {
        Verdict::TooNoisy
    };
    Comparison {
        least_ratio: least,
        median_ratio: median,
        greatest_ratio: greatest,
        spread,
        verdict,
    }
}

/// Where the second way begins to pay: the first size from which on it is faster at every size.
///
/// `verdicts` go from the smallest size to the greatest. One size where it happened to win is no
/// break-even; a win that does not last to the end of the sweep is none either.
pub fn find_break_even(verdicts: &[Verdict]) -> Option<usize> {
    let wins = verdicts.iter().rev();
    let wins = wins.take_while(|verdict| **verdict == Verdict::SecondFaster);
    Some(verdicts.len() - wins.count()).filter(|index| *index < verdicts.len())
}

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};
    use proptest::prelude::*;

    fn verdict(first: &[f64], second: &[f64]) -> Verdict {
        compare_by_round(first, second).verdict
    }

    #[test]
    fn faster_is_beyond_the_margin_in_every_round_and_beyond_the_spread() {
        assert_eq!(verdict(&[1.0; 3], &[1.5, 1.6, 1.4]), FirstFaster);
        assert_eq!(verdict(&[1.5, 1.6, 1.4], &[1.0; 3]), SecondFaster);
        // One round within the margin.
        assert_eq!(verdict(&[1.0; 3], &[1.5, 1.05, 1.4]), TooNoisy);
        // All on one side, but the rounds are further from each other than from even.
        assert_eq!(verdict(&[1.0; 3], &[1.2, 1.3, 3.0]), TooNoisy);
    }

    #[test]
    fn within_the_margin_in_every_round_there_is_no_detectable_difference() {
        assert_eq!(
            verdict(&[1.0; 3], &[1.05, 0.95, 1.0]),
            NoDetectableDifference
        );
        assert_eq!(verdict(&[1.0; 3], &[1.05, 0.95, 1.2]), TooNoisy);
    }

    #[test]
    fn a_machine_that_changes_speed_between_rounds_changes_nothing() {
        assert_eq!(
            verdict(&[1.0, 2.0, 1.0], &[1.5, 3.1, 1.4]),
            FirstFaster,
            "both times of a round double"
        );
    }

    #[test]
    fn fewer_rounds_than_three_decide_nothing() {
        assert_eq!(verdict(&[], &[]), TooNoisy);
        assert_eq!(verdict(&[1.0], &[9.0]), TooNoisy);
        assert_eq!(verdict(&[1.0; 2], &[1.0; 2]), TooNoisy);
        assert_eq!(verdict(&[1.0; 3], &[1.0; 2]), TooNoisy, "two pairs");
    }

    #[test]
    fn one_lucky_size_is_no_break_even() {
        let lucky = [FirstFaster, SecondFaster, TooNoisy, SecondFaster];
        assert_eq!(find_break_even(&lucky), Some(3));
        assert_eq!(find_break_even(&lucky[..3]), None);
        assert_eq!(find_break_even(&[SecondFaster; 2]), Some(0));
        assert_eq!(find_break_even(&[]), None);
    }

    proptest! {
        #[test]
        fn swapping_the_two_swaps_the_verdict(
            rounds in prop::collection::vec((0.1_f64..10.0, 0.1_f64..10.0), 0..9)
        ) {
            let (first, second): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
            let swapped = match verdict(&second, &first) {
                FirstFaster => SecondFaster,
                SecondFaster => FirstFaster,
                same => same,
            };
            // The middle of an even number of rounds is the lower one, from either side.
            if first.len() % 2 == 1 {
                prop_assert_eq!(verdict(&first, &second), swapped);
            }
        }

        #[test]
        fn a_verdict_of_faster_is_never_against_a_round(
            rounds in prop::collection::vec((0.5_f64..2.0, 0.1_f64..10.0), 3..9)
        ) {
            let (first, second): (Vec<_>, Vec<_>) = rounds.iter().copied().unzip();
            let faster = |a: f64, b: f64| a < b;
            match verdict(&first, &second) {
                FirstFaster => prop_assert!(rounds.iter().all(|(a, b)| faster(*a, *b))),
                SecondFaster => prop_assert!(rounds.iter().all(|(a, b)| faster(*b, *a))),
                NoDetectableDifference | TooNoisy => {}
            }
        }
    }
}
