//! What came of a race, tried many times: how often which outcome, and what it means.

use crate::Race;
use common::{TableReport, Tally, format};
use serde::Serialize;

/// A kind of outcome, the trials that had it, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What became of the updates.
    pub outcome: &'static str,
    /// In how many trials.
    pub occurrences: usize,
    /// What happened for it to come out like that.
    pub meaning: &'static str,
}

/// The kinds of outcome, from right to worst, and what each means.
const KINDS: [(&str, &str); 4] = [
    ("nothing lost", "no other store fell into the window"),
    ("less than 1 % lost", "fewer than one update in 100 is gone"),
    ("1 % or more lost", "one update in 100 or more is gone"),
    ("one thread's share", "what one thread adds alone, or less"),
];

/// The counts of many trials of one race.
#[derive(Clone, Debug, Serialize)]
pub struct Trials {
    /// What each trial should have counted.
    pub expected: u64,
    /// How many trials there were.
    pub trials: usize,
    /// How many of them lost an update.
    pub losing: usize,
    /// The least that one counted.
    pub least_got: Option<u64>,
    /// The most that one counted.
    pub most_got: Option<u64>,
    /// Lost updates over all updates, 0–1.
    pub lost_share: f64,
    /// Every kind of outcome and how often it occurred.
    pub outcomes: Vec<Outcome>,
    /// What each trial counted.
    pub got: Vec<u64>,
}

impl Trials {
    /// Sorts what each trial counted into kinds of outcome.
    pub fn sort(race: Race, got: Vec<u64>) -> Self {
        let expected = race.expected();
        let mut outcomes = KINDS.map(|(outcome, meaning)| Outcome {
            outcome,
            occurrences: 0,
            meaning,
        });
        for &count in &got {
            outcomes[kind(race, count)].occurrences += 1;
        }
        let trials = got.len();
        let all = expected as f64 * trials as f64;
        let counted: f64 = got.iter().map(|&count| count as f64).sum();
        Self {
            expected,
            trials,
            losing: trials - outcomes[0].occurrences,
            least_got: got.iter().copied().min(),
            most_got: got.iter().copied().max(),
            lost_share: if all > 0.0 { 1.0 - counted / all } else { 0.0 },
            outcomes: outcomes.into(),
            got,
        }
    }

    /// The trials as tasks: those that lost an update have failed.
    pub fn tally(&self) -> Tally {
        Tally::of_checked(&self.got, |&got| got == self.expected)
    }

    /// What the script prints, of the first trial.
    pub fn first_line(&self) -> String {
        let got = self.got.first().copied().unwrap_or(0);
        format!(
            "  Expected: {}, Got: {} ({} lost)",
            format::count(self.expected),
            format::count(got),
            format::count(self.expected.saturating_sub(got))
        )
    }
}

/// Which of [`KINDS`] a count is.
fn kind(race: Race, got: u64) -> usize {
    let lost = race.expected().saturating_sub(got);
    if lost == 0 {
        0
    } else if got <= race.increments {
        3
    } else if lost * 100 >= race.expected() {
        2
    } else {
        1
    }
}

/// The outcomes of several races over equally many trials side by side, a row per kind.
pub fn table(races: &[(&str, &Trials)]) -> TableReport {
    let names = races.iter().map(|(name, _)| (*name).to_owned());
    let row = |(row, (outcome, meaning)): (usize, (&str, &str))| {
        let counts = races
            .iter()
            .map(|(_, race)| format!("{}/{}", race.outcomes[row].occurrences, race.trials));
        beside(outcome, counts, meaning)
    };
    TableReport {
        title: "What came out, in how many of the trials".into(),
        headings: beside("outcome", names, "what it means"),
        rows: KINDS.into_iter().enumerate().map(row).collect(),
        text_columns: vec![0, races.len() + 1],
        notes: Vec::new(),
    }
}

fn beside(outcome: &str, counts: impl Iterator<Item = String>, meaning: &str) -> Vec<String> {
    let outcome = std::iter::once(outcome.to_owned());
    outcome.chain(counts).chain([meaning.to_owned()]).collect()
}

/// The table as it is told, a line per row.
pub fn lines(table: &TableReport) -> Vec<String> {
    let line = |row: &Vec<String>| match &row[..] {
        [outcome, counts @ .., meaning] => {
            let counts: String = counts.iter().map(|count| format!(" {count:>9}")).collect();
            format!("{outcome:<20}{counts}  {meaning}")
        }
        _ => String::new(),
    };
    let rows = table.rows.iter();
    std::iter::once(&table.headings)
        .chain(rows)
        .map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn race(threads: usize, increments: u64) -> Race {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Race {
            threads,
            increments,
        }
    }

    #[test]
    fn counts_are_sorted_by_what_was_lost() {
        for (got, at) in [
            (1_000, 0),
            (999, 1),
            (991, 1),
            (990, 2),
            (501, 2),
            (500, 3),
            (2, 3),
        ] {
            assert_eq!(kind(race(2, 500), got), at, "{got}");
        }
        assert_eq!(kind(race(2, 1), 1), 3);
        assert_eq!(kind(race(1, 7), 7), 0);
    }

    #[test]
    fn every_trial_is_in_exactly_one_outcome() {
        let sorted = Trials::sort(race(2, 50), vec![100, 60, 10, 100, 2]);
        let occurrences: Vec<usize> = sorted.outcomes.iter().map(|o| o.occurrences).collect();
        assert_eq!(occurrences, [2, 0, 1, 2]);
        assert_eq!((sorted.trials, sorted.losing), (5, 3));
        assert_eq!((sorted.least_got, sorted.most_got), (Some(2), Some(100)));
        assert!((sorted.lost_share - 0.456).abs() < 1e-9, "{sorted:?}");
        let tally = sorted.tally();
        assert_eq!((tally.submitted, tally.done, tally.failed), (5, 2, 3));
        assert_eq!(sorted.first_line(), "  Expected: 100, Got: 100 (0 lost)");
    }

    #[test]
    fn no_trials_lose_nothing() {
        let sorted = Trials::sort(race(2, 50), vec![]);
        assert_eq!((sorted.losing, sorted.lost_share), (0, 0.0));
        assert_eq!(sorted.most_got, None);
    }

    #[test]
    fn the_table_puts_the_races_side_by_side_within_78_columns() {
        let (wide, tight) = (
            Trials::sort(race(2, 100), vec![100, 120]),
            Trials::sort(race(2, 100), vec![200, 199]),
        );
        let lines = lines(&table(&[("widened", &wide), ("tight", &tight)]));
        assert_eq!(
            lines,
            [
                "outcome                widened     tight  what it means",
                "nothing lost               0/2       1/2  no other store fell into the window",
                "less than 1 % lost         0/2       1/2  fewer than one update in 100 is gone",
                "1 % or more lost           1/2       0/2  one update in 100 or more is gone",
                "one thread's share         1/2       0/2  what one thread adds alone, or less",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 78));
    }
}
