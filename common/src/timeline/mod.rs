//! Turns `tracing` spans into lanes of intervals: threads, tasks and processes on one clock.
//!
//! A span that is *entered* is running; a span that is open but not entered waits. A lesson
//! function carries `#[tracing::instrument]` and no more. Two fields mean something here:
//!
//! - `task`: the span opens a lane of its own, an asynchronous task. Spans inside it belong to it.
//!   Every other span belongs to the thread that runs it.
//! - `wait`: what the span waits for while it does not run: `"io"`, `"lock"`, `"queue"`,
//!   `"permit"`, `"sleep"`, `"back-off"`, `"join"`.
//!
//! A thread blocked inside a span is still inside it; how long it really ran comes from the
//! thread's CPU clock. Spans go to a buffer of the thread that closes them and are merged by
//! [`take`] after the measured stretch. Lanes are told apart by id, never by name.

mod clock;
mod layer;
mod store;

pub use clock::{Moment, thread_cpu};
pub use layer::{TimelineLayer, install};
#[cfg(feature = "process")]
pub(crate) use store::LiveProcess;
pub use store::{LiveLane, adopt, live, name_lane, record_process, take, watch_live};

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// An operating-system thread of this process.
    Thread,
    /// An asynchronous task.
    Task,
    /// A worker process.
    Process,
}

/// Which lane a span belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneId {
    /// Its kind.
    pub kind: LaneKind,
    /// A number unique within the kind: of the thread or task in order of appearance, or the pid.
    pub number: u64,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Which one it is.
    pub id: LaneId,
    /// What it is called; names may repeat.
    pub name: String,
    /// Its spans in order of their start, a parent before its children.
    pub spans: Vec<Span>,
}

/// One interval on a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// What was done.
    pub name: Cow<'static, str>,
    /// When it began.
    pub start: Moment,
    /// When it ended.
    pub end: Moment,
    /// How long it really ran: CPU time of a thread, time being polled of a task.
    pub busy: Duration,
    /// What it waited for when it did not run.
    pub wait: Option<String>,
    /// How deep it lies in other spans of its lane.
    pub depth: u16,
    /// When it ran, where that is known exactly; empty where only `busy` is.
    pub polls: Vec<(Moment, Moment)>,
    /// Whether its end was never told, as when its process died: `end` is then when that was noticed.
    pub cut: bool,
}

impl Span {
    /// How long it was open.
    pub fn duration(&self) -> Duration {
        self.end - self.start
    }
}
