//! What trials of a race counted, sorted by how much was lost.

use common::{TableReport, format};
use lab_06_race_condition::Race;

/// The kinds of outcome, from right to worst, and what each means.
const KINDS: [(&str, &str); 4] = [
    ("nothing lost", "no other store fell into the window"),
    ("less than 1 % lost", "fewer than one update in 100 is gone"),
    ("1 % or more lost", "one update in 100 or more is gone"),
    ("one thread's share", "what one thread adds alone, or less"),
];

/// The counts of many trials of one race.
#[derive(Debug)]
pub(crate) struct Trials {
    pub(crate) race: Race,
    /// What each trial counted.
    pub(crate) got: Vec<u64>,
}

impl Trials {
    /// Updates lost in all trials together.
    pub(crate) fn lost(&self) -> u64 {
        let lost = |&got| self.race.expected().saturating_sub(got);
        self.got.iter().map(lost).sum()
    }

    /// How many trials lost an update.
    pub(crate) fn losing(&self) -> usize {
        let losing = |&&got: &&u64| got < self.race.expected();
        self.got.iter().filter(losing).count()
    }

    /// Lost updates over all updates, 0–1.
    pub(crate) fn lost_share(&self) -> f64 {
        self.lost() as f64 / (self.race.expected() as f64 * self.got.len() as f64)
    }

    /// The most that one trial counted.
    pub(crate) fn most(&self) -> u64 {
        self.got.iter().copied().max().unwrap_or(0)
    }

    /// What the script prints, of the first trial.
    pub(crate) fn first_line(&self) -> String {
        let (expected, got) = (self.race.expected(), self.got[0]);
        format!(
            "  Expected: {}, Got: {} ({} lost)",
            format::count(expected),
            format::count(got),
            format::count(expected.saturating_sub(got))
        )
    }

    /// How many trials had the outcome in this row of [`KINDS`].
    fn occurrences(&self, row: usize) -> usize {
        let in_row = |&&got: &&u64| kind(self.race, got) == row;
        self.got.iter().filter(in_row).count()
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

/// The outcomes of two races side by side, a row for each kind.
pub(crate) fn table(widened: &Trials, tight: &Trials) -> TableReport {
    let cell = |trials: &Trials, row| format!("{}/{}", trials.occurrences(row), trials.got.len());
    let rows = KINDS.iter().enumerate().map(|(row, (outcome, meaning))| {
        let (outcome, meaning) = ((*outcome).to_owned(), (*meaning).to_owned());
        vec![outcome, cell(widened, row), cell(tight, row), meaning]
    });
    TableReport {
        title: "What came out, in how many of the trials".into(),
        headings: ["outcome", "widened", "tight", "what it means"]
            .map(String::from)
            .into(),
        rows: rows.collect(),
        text_columns: vec![0, 3],
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn trials(threads: usize, increments: u64, got: &[u64]) -> Trials {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Trials {
            race: Race {
                threads,
                increments,
            },
            got: got.to_vec(),
        }
    }

    #[test]
    fn counts_are_sorted_by_what_was_lost() {
        let race = trials(2, 500, &[]).race;
        for (got, row) in [
            (1_000, 0),
            (999, 1),
            (991, 1),
            (990, 2),
            (501, 2),
            (500, 3),
            (2, 3),
        ] {
            assert_eq!(kind(race, got), row, "{got}");
        }
        assert_eq!(kind(trials(2, 1, &[]).race, 1), 3);
        assert_eq!(kind(trials(1, 7, &[]).race, 7), 0);
    }

    #[test]
    fn every_trial_is_in_exactly_one_outcome() {
        let trials = trials(2, 50, &[100, 60, 10, 100, 2]);
        assert_eq!(
            [0, 1, 2, 3].map(|row| trials.occurrences(row)),
            [2, 0, 1, 2]
        );
        assert_eq!(
            (trials.lost(), trials.losing(), trials.most()),
            (228, 3, 100)
        );
        assert!((trials.lost_share() - 0.456).abs() < 1e-9);
        assert_eq!(trials.first_line(), "  Expected: 100, Got: 100 (0 lost)");
    }
}
