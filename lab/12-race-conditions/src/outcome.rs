//! What came of a race tried many times: each outcome, how often, and what it means.

use crate::{
    bank::{BALANCE, MOVED, PAYMENT},
    trials::Race,
};
use common::{TableReport, Tally, format};
use serde::Serialize;

/// Whether an outcome is the one wanted, or one that only a race explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// What the program is for.
    Expected,
    /// Possible, and worth knowing why.
    Interesting,
}

/// One kind of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// What came out.
    pub outcome: &'static str,
    /// Whether it is wanted.
    pub grade: Grade,
    /// How it comes about.
    pub meaning: &'static str,
}

const fn expected(outcome: &'static str, meaning: &'static str) -> Kind {
    Kind {
        outcome,
        grade: Grade::Expected,
        meaning,
    }
}

const fn interesting(outcome: &'static str, meaning: &'static str) -> Kind {
    Kind {
        outcome,
        grade: Grade::Interesting,
        meaning,
    }
}

/// What can come of counting.
pub const COUNTS: [Kind; 4] = [
    expected("nothing lost", "no store in a window"),
    interesting("under 1 % lost", "few overwritten"),
    interesting("1 % or more lost", "many overwritten"),
    interesting("one's share left", "as if one had counted"),
];

/// What can come of two withdrawals with money for one.
pub const BALANCES: [Kind; 2] = [
    expected("20 left", "one paid, one refused"),
    interesting("60 overdrawn", "both had checked"),
];

/// What an audit can see of 200 while 10 are moved.
pub const TOTALS: [Kind; 3] = [
    expected("200 seen", "both of one moment"),
    interesting("190 seen", "10 were in neither"),
    interesting("210 seen", "10 were in both"),
];

/// Which of [`COUNTS`] a count is.
pub fn kind_of_count(race: Race, got: i64) -> usize {
    let expected = race.expected() as i64;
    let lost = expected - got;
    if lost <= 0 {
        0
    } else if got <= race.increments as i64 {
        3
    } else if lost * 100 >= expected {
        2
    } else {
        1
    }
}

/// Which of [`BALANCES`] a balance is.
pub fn kind_of_balance(left: i64) -> usize {
    usize::from(left != BALANCE - PAYMENT)
}

/// Which of [`TOTALS`] a total is.
pub fn kind_of_total(seen: i64) -> usize {
    match seen - 2 * BALANCE {
        0 => 0,
        out if out == -MOVED => 1,
        _ => 2,
    }
}

/// The trials of one race, sorted.
#[derive(Clone, Debug, Serialize)]
pub struct Trials {
    /// How many there were.
    pub trials: usize,
    /// How many had an outcome that is not the expected one.
    pub went_wrong: usize,
    /// That as a share of all trials, 0–1.
    pub odds: f64,
    /// How often each kind came out, in the order of the kinds.
    pub occurrences: Vec<usize>,
}

impl Trials {
    /// Sorts what each trial gave into `kinds`, by the number that `kind` tells.
    pub fn sort(kinds: &[Kind], got: &[i64], kind: impl Fn(i64) -> usize) -> Self {
        let mut occurrences = vec![0; kinds.len()];
        for &got in got {
            occurrences[kind(got)] += 1;
        }
        let wanted = kinds
            .iter()
            .zip(&occurrences)
            .filter(|(kind, _)| kind.grade == Grade::Expected);
        let wanted: usize = wanted.map(|(_, occurrences)| occurrences).sum();
        let went_wrong = got.len() - wanted;
        Self {
            trials: got.len(),
            went_wrong,
            odds: went_wrong as f64 / got.len().max(1) as f64,
            occurrences,
        }
    }

    /// The trials as tasks: all were run to their ends. What came out is for the table to tell.
    pub fn tally(&self) -> Tally {
        Tally::all_done(self.trials)
    }
}

/// The outcomes of several ways to run one race side by side, a row per kind; then the odds.
pub fn table(title: &str, kinds: &[Kind], ways: &[(&str, &Trials)]) -> TableReport {
    let row = |outcome: &str, cells: Vec<String>, grade: &str, meaning: &str| {
        let [outcome, grade, meaning] = [outcome, grade, meaning].map(str::to_owned);
        let ends = [grade, meaning];
        [outcome].into_iter().chain(cells).chain(ends).collect()
    };
    let names = ways.iter().map(|(name, _)| (*name).to_owned()).collect();
    let of_kind = |(number, kind): (usize, &Kind)| {
        let cells = ways
            .iter()
            .map(|(_, trials)| trials.occurrences[number].to_string());
        let grade = match kind.grade {
            Grade::Expected => "expected",
            Grade::Interesting => "interesting",
        };
        row(kind.outcome, cells.collect(), grade, kind.meaning)
    };
    TableReport {
        title: title.into(),
        headings: row("outcome", names, "grade", "what it means"),
        rows: kinds.iter().enumerate().map(of_kind).collect(),
        text_columns: vec![0, ways.len() + 1, ways.len() + 2],
        notes: vec![odds(ways)],
    }
}

/// The table as it is told, a line per row and note.
pub fn lines(table: &TableReport) -> Vec<String> {
    let line = |row: &Vec<String>| match &row[..] {
        [outcome, cells @ .., grade, meaning] => {
            let cells: String = cells.iter().map(|cell| format!("{cell:>9}")).collect();
            format!("{outcome:<16}{cells}  {grade:<11} {meaning}")
        }
        _ => String::new(),
    };
    let rows = std::iter::once(&table.headings).chain(&table.rows);
    rows.map(line).chain(table.notes.iter().cloned()).collect()
}

/// In how many of the trials something else than the expected came out.
fn odds(ways: &[(&str, &Trials)]) -> String {
    let odds = ways.iter().map(|(name, trials)| {
        let [wrong, all] = [trials.went_wrong, trials.trials].map(|count| count as u64);
        format!("{name} {}/{}", format::count(wrong), format::count(all))
    });
    format!(
        "odds of going wrong: {}",
        odds.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    fn race() -> Race {
        Race {
            threads: NonZeroUsize::new(2).expect("two"),
            increments: 500,
        }
    }

    #[test]
    fn counts_are_sorted_by_what_was_lost() {
        for (got, kind) in [(1000, 0), (999, 1), (991, 1), (990, 2), (501, 2), (500, 3)] {
            assert_eq!(kind_of_count(race(), got), kind, "{got}");
        }
    }

    #[test]
    fn balances_and_totals_have_their_kinds() {
        assert_eq!([20, -60].map(kind_of_balance), [0, 1]);
        assert_eq!([200, 190, 210].map(kind_of_total), [0, 1, 2]);
    }

    #[test]
    fn every_trial_is_in_exactly_one_kind_and_a_lost_update_is_no_failed_task() {
        let kind = |got| kind_of_count(race(), got);
        let sorted = Trials::sort(&COUNTS, &[1000, 600, 10, 1000, 995], kind);
        assert_eq!(sorted.occurrences, [2, 1, 1, 1]);
        assert_eq!((sorted.trials, sorted.went_wrong), (5, 3));
        assert!((sorted.odds - 0.6).abs() < 1e-9);
        let tally = sorted.tally();
        assert_eq!((tally.submitted, tally.done, tally.failed), (5, 5, 0));
        let none = Trials::sort(&COUNTS, &[], kind);
        assert_eq!((none.went_wrong, none.odds), (0, 0.0));
    }

    #[test]
    fn the_table_puts_the_ways_side_by_side_within_78_columns() {
        let sorted = |got: &[i64]| Trials::sort(&BALANCES, got, kind_of_balance);
        let (tight, widened, repaired) = (sorted(&[20, 20]), sorted(&[20, -60]), sorted(&[20, 20]));
        let ways = [
            ("tight", &tight),
            ("widened", &widened),
            ("repaired", &repaired),
        ];
        let told = lines(&table("balances", &BALANCES, &ways));
        assert_eq!(
            told,
            [
                "outcome             tight  widened repaired  grade       what it means",
                "20 left                 2        1        2  expected    one paid, one refused",
                "60 overdrawn            0        1        0  interesting both had checked",
                "odds of going wrong: tight 0/2, widened 1/2, repaired 0/2",
            ]
        );
        for kinds in [&COUNTS[..], &BALANCES, &TOTALS] {
            let sorted = Trials::sort(kinds, &[], |_| 0);
            let ways = [("a", &sorted), ("b", &sorted), ("c", &sorted)];
            let lines = lines(&table("kinds", kinds, &ways));
            assert!(
                lines.iter().all(|line| line.chars().count() <= 78),
                "{lines:#?}"
            );
        }
    }
}
