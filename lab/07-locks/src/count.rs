//! A count with what it should have been and what it cost.

use crate::Plan;
use anyhow::Context;
use common::{Tally, format};
use measure::timing;
use serde::Serialize;
use std::io;

/// What one variant counted.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) expected: u64,
    pub(crate) got: u64,
    pub(crate) lost: u64,
    /// Wall time over all increments, those of all workers together.
    pub(crate) per_increment_s: f64,
}

impl Count {
    /// Counts, and tells the time that it took per increment.
    ///
    /// # Errors
    /// Not all workers could be started.
    pub(crate) fn timed(
        plan: Plan,
        count: impl FnOnce() -> io::Result<u64>,
    ) -> anyhow::Result<Self> {
        let (got, wall) = timing::timed(count);
        let threads = plan.threads;
        let got =
            got.with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))?;
        let expected = plan.expected();
        Ok(Self {
            expected,
            got,
            lost: expected.saturating_sub(got),
            per_increment_s: wall.as_secs_f64() / expected as f64,
        })
    }

    /// The increments as tasks: those that are gone have failed.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            submitted: self.expected,
            done: self.got,
            failed: self.lost,
            ..Tally::default()
        }
    }

    /// What the script prints.
    pub(crate) fn line(&self, name: &str) -> String {
        let (expected, got) = (format::count(self.expected), format::count(self.got));
        format!(
            "  {name:<14}  Expected: {expected}, Got: {got:>width$}",
            width = expected.len()
        )
    }
}

/// The line of the round with the middle cost (the lower of two), and that cost.
pub(crate) fn middle_line(name: &str, mut counts: Vec<Count>) -> String {
    counts.sort_by(|a, b| a.per_increment_s.total_cmp(&b.per_increment_s));
    let middle = counts[(counts.len() - 1) / 2];
    let cost = format::seconds_f64(middle.per_increment_s);
    format!("{}, {cost:>7} per increment", middle.line(name))
}
