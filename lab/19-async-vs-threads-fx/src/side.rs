//! The two sides of the sweep, and what their rows are called.

use common::format;
use serde::Serialize;

/// Who has the requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Tasks,
    Threads,
}

impl Side {
    /// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
    pub(crate) const BOTH: [Self; 2] = [Self::Tasks, Self::Threads];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Threads => "threads",
        }
    }
}

/// The variant of a row.
pub(crate) fn variant(side: Side, level: usize) -> String {
    format!("{} {}", side.name(), format::count(level as u64))
}
