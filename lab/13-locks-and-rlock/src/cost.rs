//! What an increment cost under each lock, by number of threads and by round; and the shape of it.

mod overlap;
mod table;

pub(crate) use overlap::TURNS;

use anyhow::Context;
use common::Tally;
use lab_13_locks_and_rlock::count::Plan;
use measure::timing::{self, Usage};
use serde::Serialize;
use std::{collections::BTreeMap, io, num::NonZeroUsize};

/// What one run counted, and what that cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) expected: u64,
    pub(crate) got: u64,
    /// Wall time over all increments, those of all threads together.
    pub(crate) per_increment_s: f64,
    /// CPU time over wall time; `None` where the platform does not tell the CPU time.
    pub(crate) cpus_busy: Option<f64>,
}

/// An increment that costs this many times as much costs more; one over it, less.
pub(crate) const MARGIN: f64 = 1.25;

impl Count {
    /// Counts, and tells the time that it took per increment, the start of the threads included.
    ///
    /// # Errors
    /// Not all threads could be started.
    pub(crate) fn timed(
        plan: Plan,
        count: impl FnOnce(Plan) -> io::Result<u64>,
    ) -> anyhow::Result<Self> {
        let before = Usage::now();
        let (got, wall) = timing::timed(|| count(plan));
        let cpu = Usage::now().since(&before).cpu();
        let threads = plan.threads;
        let got =
            got.with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))?;
        Ok(Self {
            expected: plan.increments,
            got,
            per_increment_s: wall.as_secs_f64() / plan.increments as f64,
            cpus_busy: (!cpu.is_zero()).then(|| cpu.as_secs_f64() / wall.as_secs_f64()),
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
    rows: Vec<(&'static str, Vec<Vec<Count>>)>,
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

    pub(crate) fn add(&mut self, name: &'static str, column: usize, count: Count) {
        let empty = || vec![Vec::new(); self.columns.len()];
        if !self.rows.iter().any(|(known, _)| *known == name) {
            self.rows.push((name, empty()));
        }
        let row = self.rows.iter_mut().find(|(known, _)| *known == name);
        let (_, costs) = row.expect("it was pushed if it was missing");
        costs[column].push(count);
    }

    /// A figure of every run by its [`key`], all rounds in a list.
    pub(crate) fn by_key<T>(
        &self,
        unit: &str,
        figure: impl Fn(&Count) -> T,
    ) -> BTreeMap<String, Vec<T>> {
        let cells = self.rows.iter().flat_map(|(name, row)| {
            let columns = self.columns.iter().zip(row);
            columns.map(|(&threads, counts)| (key(name, threads, unit), counts))
        });
        cells
            .map(|(key, counts)| (key, counts.iter().map(&figure).collect()))
            .collect()
    }

    /// The shape of every row, for the document.
    pub(crate) fn scaling(&self) -> BTreeMap<&'static str, impl Serialize> {
        self.rows
            .iter()
            .map(|(name, row)| (*name, shape(row)))
            .collect()
    }
}

/// The name of a figure in the document; its unit comes last.
pub(crate) fn key(name: &str, threads: NonZeroUsize, unit: &str) -> String {
    let s = if threads.get() == 1 { "" } else { "s" };
    format!("{}_on_{threads}_thread{s}{unit}", name.replace(' ', "_"))
}

/// The cost in the last column over that in the first, by round.
fn ratios(first: &[Count], last: &[Count]) -> impl Iterator<Item = f64> {
    let pairs = last.iter().zip(first);
    pairs.map(|(last, first)| last.per_increment_s / first.per_increment_s)
}

/// Compares the last column with the first, round by round.
fn shape(row: &[Vec<Count>]) -> Shape {
    let (first, last) = (&row[0], &row[row.len() - 1]);
    let all = |holds: fn(f64) -> bool| ratios(first, last).all(holds);
    let shape = if row.len() < 2 {
        "one column"
    } else if all(|ratio| ratio > MARGIN) {
        "rises"
    } else if all(|ratio| ratio < 1.0 / MARGIN) {
        "falls"
    } else if all(|ratio| (1.0 / MARGIN..=MARGIN).contains(&ratio)) {
        "level"
    } else {
        "rounds differ"
    };
    let times_the_first = row.iter().map(|counts| middle(counts) / middle(first));
    Shape {
        times_the_first: times_the_first.collect(),
        shape,
    }
}

/// The cost in the middle of the rounds, the lower of two.
fn middle(counts: &[Count]) -> f64 {
    let mut sorted: Vec<f64> = counts.iter().map(|count| count.per_increment_s).collect();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of costs in nanoseconds on 1 and on 4 threads, with so many CPUs busy.
    pub(super) fn costs(of_two_columns: [&[f64]; 2], cpus_busy: f64) -> Costs {
        let columns = [1, 4].map(|count| NonZeroUsize::new(count).expect("not zero"));
        let mut costs = Costs::new(columns.into());
        for (column, rounds) in of_two_columns.into_iter().enumerate() {
            for &cost in rounds {
                let count = Count {
                    expected: 1,
                    got: 1,
                    per_increment_s: cost * 1e-9,
                    cpus_busy: Some(cpus_busy),
                };
                costs.add("a lock", column, count);
            }
        }
        costs
    }

    #[test]
    fn a_shape_is_told_where_all_rounds_agree() {
        let shape_of =
            |first: &[f64], last: &[f64]| shape(&costs([first, last], 2.0).rows[0].1).shape;
        assert_eq!(shape_of(&[10.0, 20.0], &[50.0, 60.0]), "rises");
        assert_eq!(shape_of(&[10.0, 20.0], &[5.0, 9.0]), "falls");
        assert_eq!(shape_of(&[10.0, 20.0], &[11.0, 18.0]), "level");
        assert_eq!(shape_of(&[10.0, 20.0], &[50.0, 9.0]), "rounds differ");
    }
}
