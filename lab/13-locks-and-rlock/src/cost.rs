//! What an increment cost under each lock, by number of threads and by round; and the shape of it.

use anyhow::Context;
use common::{
    Tally,
    report::{self, format},
    timing,
};
use lab_13_locks_and_rlock::count::Plan;
use serde::Serialize;
use std::{collections::BTreeMap, io, num::NonZeroUsize};

/// What one run counted, and what that cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) expected: u64,
    pub(crate) got: u64,
    /// Wall time over all increments, those of all threads together.
    pub(crate) per_increment_s: f64,
}

impl Count {
    /// Counts, and tells the time that it took per increment, the start of the threads included.
    ///
    /// # Errors
    /// Not all threads could be started.
    pub(crate) fn timed(
        plan: Plan,
        count: impl FnOnce(Plan) -> io::Result<u64>,
    ) -> anyhow::Result<Self> {
        let (got, wall) = timing::timed(|| count(plan));
        let threads = plan.threads;
        let got =
            got.with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))?;
        Ok(Self {
            expected: plan.increments,
            got,
            per_increment_s: wall.as_secs_f64() / plan.increments as f64,
        })
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            submitted: self.expected,
            done: self.got,
            failed: self.expected.saturating_sub(self.got),
            ..Tally::default()
        }
    }
}

/// The cost of every mechanism in every column, by round.
pub(crate) struct Costs {
    columns: Vec<NonZeroUsize>,
    rows: Vec<(&'static str, Vec<Vec<f64>>)>,
}

/// How the cost changed from the first column to the last.
#[derive(Serialize)]
struct Shape {
    /// Cost by column over the cost in the first, middle rounds.
    times_the_first: Vec<f64>,
    shape: &'static str,
}

impl Costs {
    pub(crate) fn new(columns: Vec<NonZeroUsize>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &'static str, column: usize, cost_s: f64) {
        let empty = || vec![Vec::new(); self.columns.len()];
        if !self.rows.iter().any(|(known, _)| *known == name) {
            self.rows.push((name, empty()));
        }
        let row = self.rows.iter_mut().find(|(known, _)| *known == name);
        let (_, costs) = row.expect("it was pushed if it was missing");
        costs[column].push(cost_s);
    }

    /// Every cost by the name that claims know it by.
    pub(crate) fn by_key(&self) -> BTreeMap<String, &[f64]> {
        let cells = self.rows.iter().flat_map(|(name, costs)| {
            let columns = self.columns.iter().zip(costs);
            columns.map(|(&threads, costs)| (key(name, threads), &costs[..]))
        });
        cells.collect()
    }

    /// The shape of every row, for the document.
    pub(crate) fn scaling(&self) -> BTreeMap<&'static str, impl Serialize> {
        self.rows
            .iter()
            .map(|(name, costs)| (*name, shape(costs)))
            .collect()
    }

    /// A line per mechanism: the middle cost in each column, and the shape.
    pub(crate) fn table(&self) -> String {
        let counts = self.columns.iter().map(ToString::to_string);
        let names: Vec<String> = ["threads".into()]
            .into_iter()
            .chain(counts)
            .chain(["last/first".into(), "shape".into()])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let rows = self.rows.iter().map(|(name, costs)| {
            let Shape {
                times_the_first,
                shape,
            } = shape(costs);
            let costs = costs.iter().map(|costs| format::seconds_f64(middle(costs)));
            let times = times_the_first.last().map_or(1.0, |times| *times);
            [(*name).to_owned()]
                .into_iter()
                .chain(costs)
                .chain([format!("{times:.2}×"), shape.to_owned()])
                .collect()
        });
        let text_columns = [0, names.len() - 1];
        report::table(&names, rows.collect(), &text_columns, 78)
    }
}

/// The name of a cost in the document.
pub(crate) fn key(name: &str, threads: NonZeroUsize) -> String {
    let s = if threads.get() == 1 { "" } else { "s" };
    format!("{}_on_{threads}_thread{s}_s", name.replace(' ', "_"))
}

/// Compares the last column with the first, round by round.
fn shape(costs: &[Vec<f64>]) -> Shape {
    let (first, last) = (&costs[0], &costs[costs.len() - 1]);
    let ratios = || last.iter().zip(first).map(|(last, first)| last / first);
    let shape = if costs.len() < 2 {
        "one column"
    } else if ratios().all(|ratio| ratio > 1.25) {
        "rises"
    } else if ratios().all(|ratio| ratio < 0.8) {
        "falls"
    } else if ratios().all(|ratio| (0.8..=1.25).contains(&ratio)) {
        "level"
    } else {
        "rounds differ"
    };
    let times_the_first = costs.iter().map(|costs| middle(costs) / middle(first));
    Shape {
        times_the_first: times_the_first.collect(),
        shape,
    }
}

/// The middle of the rounds, the lower of two.
fn middle(costs: &[f64]) -> f64 {
    let mut sorted = costs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(of_two_columns: [&[f64]; 2]) -> Costs {
        let columns = [1, 4].map(|count| NonZeroUsize::new(count).expect("not zero"));
        let mut costs = Costs::new(columns.into());
        for (column, rounds) in of_two_columns.into_iter().enumerate() {
            for &cost in rounds {
                costs.add("a lock", column, cost * 1e-9);
            }
        }
        costs
    }

    #[test]
    fn a_shape_is_told_where_all_rounds_agree() {
        let shape_of = |first: &[f64], last: &[f64]| shape(&costs([first, last]).rows[0].1).shape;
        assert_eq!(shape_of(&[10.0, 20.0], &[50.0, 60.0]), "rises");
        assert_eq!(shape_of(&[10.0, 20.0], &[5.0, 9.0]), "falls");
        assert_eq!(shape_of(&[10.0, 20.0], &[11.0, 18.0]), "level");
        assert_eq!(shape_of(&[10.0, 20.0], &[50.0, 9.0]), "rounds differ");
    }

    #[test]
    fn the_table_has_the_middle_round_and_the_document_all() {
        let costs = costs([&[10.0, 30.0, 11.0], &[50.0, 60.0, 44.0]]);
        let table = costs.table();
        let row: Vec<&str> = table
            .lines()
            .last()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let expected = ["a", "lock", "11.0", "ns", "50.0", "ns", "4.55×", "rises"];
        assert_eq!(row, expected);
        let all = costs.by_key();
        assert_eq!(all["a_lock_on_1_thread_s"].len(), 3);
        assert_eq!(
            all["a_lock_on_4_threads_s"],
            [50.0, 60.0, 44.0].map(|cost| cost * 1e-9)
        );
    }
}
