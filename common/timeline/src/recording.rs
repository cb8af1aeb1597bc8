//! What is taken from the recorder: lanes, levels, hand-overs, and what recording them took.

use super::{Moment, thin};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneKind {
    /// An operating-system thread of this process.
    Thread,
    /// A thread of another process.
    Elsewhere,
    /// An asynchronous task.
    Task,
    /// A worker process.
    Process,
}

impl LaneKind {
    /// The lane of this kind with this number.
    pub(super) fn lane(self, number: u64) -> LaneId {
        LaneId { kind: self, number }
    }
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// What was done.
    pub name: Cow<'static, str>,
    /// When it began.
    pub start: Moment,
    /// When it ended.
    pub end: Moment,
    /// How long it really ran: CPU time of a thread, time being polled of a task.
    pub busy: Duration,
    /// What it waited for when it did not run; see [`CAUSES`](super::CAUSES).
    pub wait: Option<Cow<'static, str>>,
    /// How deep it lies in other spans of its lane.
    pub depth: u16,
    /// When it ran, where that is known; empty where only `busy` is. Of many, neighbours are merged.
    pub polls: Vec<(Moment, Moment)>,
    /// Whether its end was never told, as when its process died: `end` is then when that was noticed.
    pub cut: bool,
    /// The job that it is, where jobs are handed over.
    pub job: Option<u64>,
    /// The source file in which the span is made, where it is one of this program's.
    pub file: Option<Cow<'static, str>>,
    /// The line in it.
    pub line: Option<u32>,
}

/// A level from a moment on, such as the depth of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// What is counted.
    pub name: Cow<'static, str>,
    /// Each with the level from then on, in order.
    pub samples: Vec<(Moment, f64)>,
}

/// What a stretch of a program left behind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recording {
    /// When the stretch began.
    pub start: Moment,
    /// How long it lasted.
    pub wall: Duration,
    /// Who did what.
    pub lanes: Vec<Lane>,
    /// Levels that were told.
    pub levels: Vec<Level>,
    /// When each thread handed jobs in (`submit`) and took results (`take result`); a lane may be none of `lanes`.
    pub handovers: Vec<Lane>,
    /// What recording it took.
    pub toll: Toll,
}

/// What recording took, and what it had to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toll {
    /// Spans that were recorded, those left out included.
    pub spans: u64,
    /// What was noted: that a span was made, entered or left, samples of levels, ends of hand-overs.
    pub events: u64,
    /// Spans that were joined to a neighbour, dropped or forgotten, because there were more than are kept.
    pub thinned: u64,
    /// How long threads were held up to make room.
    pub held_up: Duration,
}

impl Toll {
    /// Adds what another process recorded.
    pub(super) fn add(&mut self, other: &Self) {
        self.spans += other.spans;
        self.events += other.events;
        self.thinned += other.thinned;
        self.held_up += other.held_up;
    }
}

/// The name of the span that covers the starting of a worker process.
pub const START_UP: &str = "start-up";

impl Recording {
    /// The spans that are jobs: outermost, not the starting of a worker, and with an end that was seen.
    ///
    /// How a worker that was killed spent its last time, nobody knows.
    pub fn jobs(&self) -> impl Iterator<Item = &Span> {
        let spans = self.lanes.iter().flat_map(|lane| &lane.spans);
        spans.filter(|span| span.depth == 0 && span.name != START_UP && !span.cut)
    }
}

/// The lanes with at most about `limit` spans in all, short ones joined to their neighbours; and how
/// many spans that left out.
pub fn thinned(lanes: &[Lane], limit: usize) -> (Vec<Lane>, u64) {
    let count = |lanes: &[Lane]| lanes.iter().map(|lane| lane.spans.len()).sum::<usize>();
    let (spans, mut fewer) = (count(lanes), lanes.to_vec());
    if spans > limit {
        let all = fewer.iter_mut().map(|lane| &mut lane.spans);
        thin::thin(all.collect(), limit);
    }
    let left_out = spans - count(&fewer);
    (fewer, left_out as u64)
}

impl Span {
    /// How long it was open.
    pub fn duration(&self) -> Duration {
        self.end - self.start
    }

    /// A span that was watched from outside: open from `start` to `end`, busy for `busy` of it.
    pub fn watched(name: &'static str, start: Moment, end: Moment, busy: Duration) -> Self {
        Self {
            name: name.into(),
            start,
            end,
            busy,
            ..Self::default()
        }
    }
}
