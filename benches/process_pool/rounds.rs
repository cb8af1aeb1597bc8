//! Rows that take turns, and what is measured of them.

use anyhow::Context;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// How long one turn of a row is to take, where its count can be chosen.
const TURN: Duration = Duration::from_millis(150);

/// Counts grow to a turn in so many steps: a pool that sizes its orders by what it has seen is slow
/// at first.
const STEPS: usize = 3;

/// How often, and whether for long enough to mean something.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Each row once with its least count.
    pub(crate) is_test: bool,
}

impl Plan {
    pub(crate) fn of(rounds: NonZeroUsize) -> Self {
        let rounds = rounds.get();
        let is_test = false;
        Self { rounds, is_test }
    }

    pub(crate) fn once() -> Self {
        let (rounds, is_test) = (1, true);
        Self { rounds, is_test }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Ours,
    /// What the others are measured by: the same by hand.
    Floor,
    Peer,
}

/// What a group's figures are called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Tasks per second.
    Tasks,
    /// MiB per second, each there and back.
    Payload,
    /// Time for each.
    Time,
    /// Time for all, against the least that two workers can take.
    Bound(Duration),
}

/// Does the row's work so many times; how long that took.
type Work = Box<dyn FnMut(u64) -> anyhow::Result<Duration>>;

/// One way to do it.
pub(crate) struct Row {
    name: String,
    side: Side,
    work: Work,
}

impl Row {
    fn new(
        name: &str,
        side: Side,
        work: impl FnMut(u64) -> anyhow::Result<Duration> + 'static,
    ) -> Self {
        let name = name.to_owned();
        let work = Box::new(work);
        Self { name, side, work }
    }

    pub(crate) fn ours(
        name: &str,
        work: impl FnMut(u64) -> anyhow::Result<Duration> + 'static,
    ) -> Self {
        Self::new(name, Side::Ours, work)
    }

    pub(crate) fn floor(
        name: &str,
        work: impl FnMut(u64) -> anyhow::Result<Duration> + 'static,
    ) -> Self {
        Self::new(name, Side::Floor, work)
    }

    pub(crate) fn peer(
        name: &str,
        work: impl FnMut(u64) -> anyhow::Result<Duration> + 'static,
    ) -> Self {
        Self::new(name, Side::Peer, work)
    }

    fn turn(&mut self, count: u64) -> anyhow::Result<Duration> {
        (self.work)(count).with_context(|| format!("the row `{}`", self.name))
    }
}

/// Rows that do the same.
pub(crate) struct Group {
    title: String,
    unit: Unit,
    rows: Vec<Row>,
    /// The least and the greatest count of a turn.
    counts: (u64, u64),
}

/// What the rows of a group took.
pub(crate) struct Measured {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) rows: Vec<MeasuredRow>,
}

impl Measured {
    pub(crate) fn of(&self, side: Side) -> impl Iterator<Item = &MeasuredRow> {
        self.rows.iter().filter(move |row| row.side == side)
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct MeasuredRow {
    pub(crate) name: String,
    pub(crate) side: Side,
    /// How many of its tasks one turn had.
    pub(crate) count: u64,
    /// Of one task, in seconds; one figure for each round.
    pub(crate) each_s: Vec<f64>,
}

impl Group {
    pub(crate) fn new(title: &str, unit: Unit, rows: Vec<Row>) -> Self {
        let title = title.to_owned();
        let counts = (200, 2_000_000);
        Self {
            title,
            unit,
            rows,
            counts,
        }
    }

    pub(crate) fn in_counts_of(mut self, least: u64, most: u64) -> Self {
        self.counts = (least, most);
        self
    }

    /// Runs every row once per round; each round begins with another row, so that none always runs
    /// behind the same one.
    pub(crate) fn take_turns(mut self, plan: &Plan) -> anyhow::Result<Measured> {
        let mut rows = Vec::new();
        for row in &mut self.rows {
            rows.push(MeasuredRow {
                name: row.name.clone(),
                side: row.side,
                count: count_of(row, self.counts, plan)?,
                each_s: Vec::new(),
            });
        }
        for round in 0..plan.rounds {
            for place in 0..rows.len() {
                let at = (place + round) % rows.len();
                let took = self.rows[at].turn(rows[at].count)?;
                let each = took.as_secs_f64() / rows[at].count as f64;
                rows[at].each_s.push(each);
            }
        }
        Ok(Measured {
            title: self.title,
            unit: self.unit,
            rows,
        })
    }
}

/// How many tasks make a turn of the wanted length; warms the row up as well.
fn count_of(row: &mut Row, (least, most): (u64, u64), plan: &Plan) -> anyhow::Result<u64> {
    let mut count = least;
    if plan.is_test {
        return Ok(count);
    }
    for _ in 0..STEPS {
        let took = row.turn(count)?.max(Duration::from_nanos(1));
        let fitting = count as f64 * TURN.as_secs_f64() / took.as_secs_f64();
        count = (fitting as u64).clamp(least, most);
    }
    Ok(count)
}
