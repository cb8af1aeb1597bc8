//! What is going on at this moment, for whoever watches.

use super::{LaneId, LaneKind, Moment, Timeline, store::lock};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What a lane is doing at this moment.
#[derive(Clone, Debug)]
pub struct LiveLane {
    /// The lane's name.
    pub name: String,
    /// The system's number of the thread, where it is one and the system tells.
    pub thread: Option<u64>,
    /// Its open spans, the innermost last.
    pub now: Vec<LiveSpan>,
}

/// A span that is open.
#[derive(Clone, Debug)]
pub struct LiveSpan {
    /// What is being done.
    pub name: &'static str,
    /// Since when.
    pub since: Moment,
    /// What it waits for when it does not run.
    pub wait: Option<Cow<'static, str>>,
}

impl LiveSpan {
    pub(super) fn begun(name: &'static str, wait: Option<&Cow<'static, str>>) -> Self {
        Self {
            name,
            since: Moment::now(),
            wait: wait.cloned(),
        }
    }
}

/// The open spans of all lanes, while somebody looks.
#[derive(Default)]
pub(super) struct Live {
    lanes: Mutex<BTreeMap<LaneId, LiveLane>>,
    is_watched: AtomicBool,
}

impl Live {
    pub(super) fn watch(&self, on: bool) {
        self.is_watched.store(on, Ordering::Relaxed);
        lock(&self.lanes).clear();
    }

    pub(super) fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }

    pub(super) fn lanes(&self) -> Vec<(LaneId, LiveLane)> {
        let lanes = lock(&self.lanes);
        lanes.iter().map(|(id, lane)| (*id, lane.clone())).collect()
    }

    /// Notes that a span is open; `lane_name` is asked where the lane is new.
    pub(super) fn enter(&self, lane: LaneId, lane_name: impl FnOnce() -> String, span: LiveSpan) {
        if self.is_watched() {
            let mut lanes = lock(&self.lanes);
            let row = lanes.entry(lane).or_insert_with(|| LiveLane {
                name: lane_name(),
                thread: (lane.kind == LaneKind::Thread).then(this_thread).flatten(),
                now: Vec::new(),
            });
            row.now.push(span);
        }
    }

    pub(super) fn leave(&self, lane: LaneId, name: &str) {
        if !self.is_watched() {
            return;
        }
        let mut lanes = lock(&self.lanes);
        if let Some(row) = lanes.get_mut(&lane)
            && let Some(at) = row.now.iter().rposition(|open| open.name == name)
        {
            row.now.remove(at);
            // A task has ended with its last span; a thread has more to come.
            if row.now.is_empty() && lane.kind == LaneKind::Task {
                lanes.remove(&lane);
            }
        }
    }
}

/// The system's number of the calling thread.
fn this_thread() -> Option<u64> {
    let link = fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

/// A process that does something at this moment, until dropped; for the live view only.
#[derive(Debug)]
pub struct LiveProcess {
    timeline: Timeline,
    lane: LaneId,
    name: &'static str,
}

impl LiveProcess {
    pub(super) fn new(timeline: Timeline, lane: LaneId, name: &'static str) -> Self {
        Self {
            timeline,
            lane,
            name,
        }
    }
}

impl Drop for LiveProcess {
    fn drop(&mut self) {
        self.timeline.store.live.leave(self.lane, self.name);
    }
}
