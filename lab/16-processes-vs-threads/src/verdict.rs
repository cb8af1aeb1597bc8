//! Two lists of times, by round: faster, no detectable difference, or too noisy to tell.

use serde::Serialize;

/// Ten per cent: less than this is not told apart.
pub const MARGIN: f64 = 1.1;

/// The same on the other side: a ratio below this is faster by more than ten per cent.
pub const MARGIN_BELOW: f64 = 1.0 / MARGIN;

/// One or two rounds that agree may do so by chance.
pub const LEAST_ROUNDS: usize = 3;

/// The fewest rounds of which the outermost may be left out.
const ROUNDS_WITH_SPARE: usize = 9;

/// More rounds than this are not worth the wait.
const MOST_ROUNDS_TO_TRY: f64 = 60.0;

/// What the rounds say of two ways, the first and the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first was faster by more than [`MARGIN`] in every round that counts.
    FirstFaster,
    /// The same of the second.
    SecondFaster,
    /// They were within [`MARGIN`] of each other in every round that counts.
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
    /// How many rounds do not count at either end: those of the least and the greatest ratios.
    pub left_out: usize,
    /// The second's time over the first's in each round that counts, the least first.
    ///
    /// `None` for fewer than [`LEAST_ROUNDS`] rounds.
    pub ratios: Option<Vec<f64>>,
    /// What follows.
    pub verdict: Verdict,
    /// How many rounds may decide what these do not; `None` where that is not foreseeable.
    pub rounds_to_try: Option<usize>,
}

/// Compares the times of two ways that took turns, one of each per round.
///
/// A round's two times stand side by side, so what the machine does to both cancels out. Rounds
/// without a time for both are left out.
pub fn compare_by_round(first_s: &[f64], second_s: &[f64]) -> Comparison {
    let pairs = first_s.iter().zip(second_s);
    let mut ratios: Vec<f64> = pairs.map(|(first, second)| second / first).collect();
    ratios.sort_by(f64::total_cmp);
    let rounds = ratios.len();
    let left_out = left_out(rounds);
    let counting = &ratios[left_out..rounds - left_out];
    let all = |holds: fn(f64) -> bool| counting.iter().all(|ratio| holds(*ratio));
    let verdict = if rounds < LEAST_ROUNDS {
        Verdict::TooNoisy
    } else if all(|ratio| ratio > MARGIN) {
        Verdict::FirstFaster
    } else if all(|ratio| ratio < MARGIN_BELOW) {
        Verdict::SecondFaster
    } else if all(|ratio| (MARGIN_BELOW..=MARGIN).contains(&ratio)) {
        Verdict::NoDetectableDifference
    } else {
        Verdict::TooNoisy
    };
    let undecided = verdict == Verdict::TooNoisy;
    Comparison {
        left_out,
        ratios: (rounds >= LEAST_ROUNDS).then(|| counting.to_vec()),
        verdict,
        rounds_to_try: undecided.then(|| rounds_to_try(counting, rounds)).flatten(),
    }
}

/// How many rounds are left out at either end: as many as the sign test allows.
///
/// Each round's ratio is as likely above as below the ratio that endless rounds would have in the
/// middle. So that middle lies between the least and the greatest of the rest in 95 of 100 cases
/// at least, provided that there are six rounds or more.
fn left_out(rounds: usize) -> usize {
    let (mut exactly, mut at_most, mut left_out) = (0.5_f64.powf(rounds as f64), 0.0, 0);
    for heads in 0..rounds / 2 {
        at_most += exactly;
        if 2.0 * at_most > 0.05 {
            break;
        }
        left_out = heads;
        exactly *= (rounds - heads) as f64 / (heads + 1) as f64;
    }
    left_out
}

/// How many rounds may decide, if they differ as these do: the interval of the ratios that count
/// narrows with the root of their number, until it is on one side of a margin.
fn rounds_to_try(counting: &[f64], rounds: usize) -> Option<usize> {
    if rounds < ROUNDS_WITH_SPARE {
        return Some(ROUNDS_WITH_SPARE);
    }
    let (last, margin) = (counting.len() - 1, MARGIN.ln());
    let [least, middle, greatest] = [0, last / 2, last].map(|at| counting[at].ln());
    // How many times too wide the interval is.
    let too_wide = if middle > margin {
        (middle - least) / (middle - margin)
    } else if middle < -margin {
        (greatest - middle) / (-margin - middle)
    } else {
        f64::max(
            (greatest - middle) / (margin - middle),
            (middle - least) / (middle + margin),
        )
    };
    let needed = (rounds as f64 * too_wide * too_wide).ceil();
    let foreseeable = needed <= MOST_ROUNDS_TO_TRY;
    foreseeable.then(|| (needed as usize).max(rounds + 1))
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
    fn faster_is_beyond_the_margin_in_every_round_that_counts() {
        assert_eq!(verdict(&[1.0; 3], &[1.5, 1.6, 1.4]), FirstFaster);
        assert_eq!(verdict(&[1.5, 1.6, 1.4], &[1.0; 3]), SecondFaster);
        // One round within the margin.
        assert_eq!(verdict(&[1.0; 3], &[1.5, 1.05, 1.4]), TooNoisy);
        assert_eq!(verdict(&[1.0; 3], &[1.5, 0.5, 1.4]), TooNoisy);
    }

    #[test]
    fn of_nine_rounds_the_outermost_do_not_count() {
        let mut times = [1.3; 9];
        times[4] = 0.7;
        times[7] = 9.0;
        let compared = compare_by_round(&[1.0; 9], &times);
        assert_eq!(compared.verdict, FirstFaster);
        assert_eq!(compared.left_out, 1);
        assert_eq!(compared.ratios, Some(vec![1.3; 7]));
        times[5] = 0.7;
        assert_eq!(verdict(&[1.0; 9], &times), TooNoisy, "one too many");
    }

    #[test]
    fn as_many_are_left_out_as_the_tables_of_the_sign_test_say() {
        for (rounds, expected) in [
            (0, 0),
            (3, 0),
            (8, 0),
            (9, 1),
            (11, 1),
            (12, 2),
            (15, 3),
            (20, 5),
            (30, 9),
            (1000, 468),
        ] {
            assert_eq!(left_out(rounds), expected, "{rounds}");
        }
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
        let compared = compare_by_round(&[1.0; 2], &[2.0; 2]);
        assert_eq!((compared.ratios, compared.rounds_to_try), (None, Some(9)));
    }

    #[test]
    fn more_rounds_are_advised_where_they_can_be_foreseen_to_decide() {
        let to_try = |times: &[f64]| compare_by_round(&[1.0; 9], times).rounds_to_try;
        assert_eq!(to_try(&[1.5, 1.6, 1.4]), None, "decided");
        assert_eq!(to_try(&[1.4, 1.05, 1.5]), Some(9), "one hiccup is to spare");
        // The middle is twice the margin away from even, and the least that counts is even: the
        // interval is twice too wide.
        let times = [0.9, 1.0, 1.0, 1.2101, 1.2101, 1.2101, 1.3, 1.3, 1.3];
        assert_eq!(to_try(&times), Some(36));
        // The middle stands on the margin itself.
        let times = [1.0, 1.0, 1.0, MARGIN, MARGIN, MARGIN, 1.3, 1.3, 1.3];
        assert_eq!(to_try(&times), None);
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
            rounds in prop::collection::vec((0.1_f64..10.0, 0.1_f64..10.0), 0..20)
        ) {
            let (first, second): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
            let swapped = match verdict(&second, &first) {
                FirstFaster => SecondFaster,
                SecondFaster => FirstFaster,
                same => same,
            };
            prop_assert_eq!(verdict(&first, &second), swapped);
        }

        #[test]
        fn a_verdict_of_faster_is_never_against_more_rounds_than_are_left_out(
            rounds in prop::collection::vec((0.5_f64..2.0, 0.1_f64..10.0), 3..20)
        ) {
            let (first, second): (Vec<_>, Vec<_>) = rounds.iter().copied().unzip();
            let compared = compare_by_round(&first, &second);
            let first_won = rounds.iter().filter(|(a, b)| a < b).count();
            let second_won = rounds.iter().filter(|(a, b)| b < a).count();
            match compared.verdict {
                FirstFaster => prop_assert!(second_won <= compared.left_out),
                SecondFaster => prop_assert!(first_won <= compared.left_out),
                NoDetectableDifference | TooNoisy => {}
            }
        }
    }
}
