//! Rows that do the same.

use crate::row::Row;
use serde::{Deserialize, Serialize};

/// What a group's figures are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// So many of these per second; against the floor stands the share of its speed.
    PerSecond(String),
    /// The time for one task; against the floor stands how many times its time.
    Time,
}

impl Unit {
    /// So many `things` per second.
    pub fn per_second(things: &str) -> Self {
        Self::PerSecond(things.to_owned())
    }
}

/// Rows that do the same, and so can be compared.
pub struct Group {
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) axis: Option<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
    /// The least and the greatest count of a turn.
    pub(crate) counts: (u64, u64),
    pub(crate) rounds_limit: usize,
}

impl Group {
    /// Rows in the order in which they are shown.
    pub fn new(title: impl Into<String>, unit: Unit, rows: Vec<Row>) -> Self {
        Self {
            title: title.into(),
            unit,
            axis: None,
            rows,
            notes: Vec::new(),
            counts: (200, 2_000_000),
            rounds_limit: usize::MAX,
        }
    }

    /// What is said rather than timed.
    pub fn said(title: impl Into<String>, notes: Vec<String>) -> Self {
        Self::new(title, Unit::Time, Vec::new()).noting(notes)
    }

    /// How many tasks a turn has: between these it is chosen so that a turn takes 150 ms.
    #[must_use]
    pub fn in_counts_of(mut self, least: u64, most: u64) -> Self {
        self.counts = (least, most);
        self
    }

    /// What the places of the rows ([`Row::at`]) count.
    #[must_use]
    pub fn along(mut self, axis: &str) -> Self {
        self.axis = Some(axis.to_owned());
        self
    }

    /// Rows that may be left out, each with the note that says so.
    #[must_use]
    pub fn with(mut self, rows: impl IntoIterator<Item = Result<Row, String>>) -> Self {
        for row in rows {
            match row {
                Ok(row) => self.rows.push(row),
                // Left out at each place of an axis, it is noted once.
                Err(note) if self.notes.contains(&note) => {}
                Err(note) => self.notes.push(note),
            }
        }
        self
    }

    /// Sentences to stand under the table: what was left out, what was checked.
    #[must_use]
    pub fn noting(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Rows so long that so many rounds must do.
    #[must_use]
    pub fn in_at_most(mut self, rounds: usize) -> Self {
        self.rounds_limit = rounds;
        self
    }
}
