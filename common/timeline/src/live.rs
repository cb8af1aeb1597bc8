//! What is going on at this moment, for whoever watches.

use super::{LaneId, LaneKind, Moment, store};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

static LIVE: Mutex<BTreeMap<LaneId, LiveLane>> = Mutex::new(BTreeMap::new());
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

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

/// Switches the record of open spans on or off; it is off unless somebody looks.
pub fn watch_live(on: bool) {
    IS_WATCHED.store(on, Ordering::Relaxed);
    store::lock(&LIVE).clear();
}

pub(super) fn is_watched() -> bool {
    IS_WATCHED.load(Ordering::Relaxed)
}

/// What every lane is doing at this moment; empty unless [`watch_live`] is on.
pub fn live() -> Vec<(LaneId, LiveLane)> {
    let lanes = store::lock(&LIVE);
    lanes.iter().map(|(id, lane)| (*id, lane.clone())).collect()
}

/// Notes that a span is open; `lane_name` is asked where the lane is new.
pub(super) fn enter(
    lane: LaneId,
    lane_name: impl FnOnce() -> String,
    name: &'static str,
    wait: Option<&Cow<'static, str>>,
) {
    if is_watched() {
        let mut live = store::lock(&LIVE);
        let row = live.entry(lane).or_insert_with(|| LiveLane {
            name: lane_name(),
            thread: (lane.kind == LaneKind::Thread).then(this_thread).flatten(),
            now: Vec::new(),
        });
        row.now.push(LiveSpan {
            name,
            since: Moment::now(),
            wait: wait.cloned(),
        });
    }
}

pub(super) fn leave(lane: LaneId, name: &str) {
    if !is_watched() {
        return;
    }
    let mut live = store::lock(&LIVE);
    if let Some(row) = live.get_mut(&lane)
        && let Some(at) = row.now.iter().rposition(|open| open.name == name)
    {
        row.now.remove(at);
        // A task has ended with its last span; a thread has more to come.
        if row.now.is_empty() && lane.kind == LaneKind::Task {
            live.remove(&lane);
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
    lane: LaneId,
    name: &'static str,
}

impl LiveProcess {
    /// Says that the process `pid` does `name`; `lane_name` is the lane's.
    pub fn enter(pid: u32, lane_name: impl FnOnce() -> String, name: &'static str) -> Self {
        let lane = LaneId {
            kind: LaneKind::Process,
            number: pid.into(),
        };
        enter(lane, lane_name, name, None);
        Self { lane, name }
    }
}

impl Drop for LiveProcess {
    fn drop(&mut self) {
        leave(self.lane, self.name);
    }
}
