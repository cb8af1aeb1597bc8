//! One way to do what a group asks for.

use crate::figures::place;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whose way a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The lab's own.
    Ours,
    /// What the others are measured by: as near to what the machine allows as can be written.
    Floor,
    /// What people would use instead.
    Peer,
}

/// What one turn of a row took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// For all tasks of the turn together.
    pub took: Duration,
    /// The most memory that the process which did it ever held, where that says something.
    pub peak_bytes: Option<u64>,
}

impl From<Duration> for Turn {
    fn from(took: Duration) -> Self {
        let peak_bytes = None;
        Self { took, peak_bytes }
    }
}

type Work = Box<dyn FnMut(u64) -> anyhow::Result<Turn>>;

/// One way to do what a group asks for: takes how many tasks to do, and tells what they took.
///
/// The work checks its own answers in each turn: a timed run with a wrong answer is no run.
pub struct Row {
    pub(crate) name: String,
    pub(crate) side: Side,
    pub(crate) at: Option<f64>,
    pub(crate) is_cold: bool,
    pub(crate) is_single: bool,
    pub(crate) count: Option<u64>,
    work: Work,
}

impl Row {
    /// A row of `side`.
    pub fn new<T: Into<Turn>>(
        name: impl Into<String>,
        side: Side,
        mut work: impl FnMut(u64) -> anyhow::Result<T> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            side,
            at: None,
            is_cold: false,
            is_single: false,
            count: None,
            work: Box::new(move |count| Ok(work(count)?.into())),
        }
    }

    /// One of the lab's own.
    pub fn ours<T: Into<Turn>>(
        name: impl Into<String>,
        work: impl FnMut(u64) -> anyhow::Result<T> + 'static,
    ) -> Self {
        Self::new(name, Side::Ours, work)
    }

    /// What the machine allows.
    pub fn floor<T: Into<Turn>>(
        name: impl Into<String>,
        work: impl FnMut(u64) -> anyhow::Result<T> + 'static,
    ) -> Self {
        Self::new(name, Side::Floor, work)
    }

    /// What people would use instead.
    pub fn peer<T: Into<Turn>>(
        name: impl Into<String>,
        work: impl FnMut(u64) -> anyhow::Result<T> + 'static,
    ) -> Self {
        Self::new(name, Side::Peer, work)
    }

    /// A floor that needs no measuring: each task takes so long by construction.
    pub fn bound(name: impl Into<String>, each: Duration) -> Self {
        Self::floor(name, move |count| Ok(each * u32::try_from(count)?))
    }

    /// Puts the row on the group's axis: rows of one name make a curve there.
    #[must_use]
    pub fn at(mut self, place: f64) -> Self {
        self.at = Some(place);
        self
    }

    /// Settles how many tasks a turn of this row has.
    #[must_use]
    pub fn of(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Spares a long row the turn that warms it up.
    #[must_use]
    pub fn cold(mut self) -> Self {
        self.is_cold = true;
        self
    }

    /// Runs a row that is longer still in the first round only, without warming up.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.is_single = true;
        self.cold()
    }

    pub(crate) fn turn(&mut self, count: u64) -> anyhow::Result<Turn> {
        (self.work)(count).with_context(|| format!("the row `{}`", self.title()))
    }

    /// Its name, and where it stands.
    fn title(&self) -> String {
        let at = self.at.map(|at| format!(" at {}", place(at)));
        format!("{}{}", self.name, at.unwrap_or_default())
    }
}
