//! What all threads have noted, put together: now and then, and when it is taken.

use crate::{
    LaneId, LaneKind, Moment, Recording,
    log::{Event, Log, lock},
    replay::Replay,
    settled::Settled,
};
use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Spans that a recording of a whole run holds in memory at most, of some 200 bytes each.
const MOST_SPANS: usize = 160_000;

/// A span is about so many events, of 40 bytes each, until they are put together.
const EVENTS_PER_SPAN: usize = 4;

/// A log without events takes as much as so many.
const EMPTY_LOG: usize = 16;

static STORES: AtomicU64 = AtomicU64::new(0);

/// All that a timeline holds.
pub(super) struct Store {
    pub(super) number: u64,
    /// So many spans from the end of the run are kept; where none is said, the whole run with fewer spans.
    last: Option<usize>,
    pub(super) finds_tasks: bool,
    /// Every thread's log; a log outlives its thread until it has been emptied.
    logs: Mutex<Vec<Arc<Log>>>,
    /// About how much all logs hold.
    noted: AtomicUsize,
    state: Mutex<State>,
}

/// What was put together.
pub(super) struct State {
    /// What was noted and not replayed: other threads may have noted something before it.
    early: Vec<(u64, Event)>,
    replay: Replay,
    pub(super) settled: Settled,
}

impl Store {
    pub(super) fn new(last: Option<usize>, finds_tasks: bool) -> Self {
        Self {
            number: STORES.fetch_add(1, Ordering::Relaxed),
            last,
            finds_tasks,
            logs: Mutex::default(),
            noted: AtomicUsize::new(0),
            state: Mutex::new(State {
                early: Vec::new(),
                replay: Replay::new(finds_tasks),
                settled: Settled::default(),
            }),
        }
    }

    pub(super) fn add_log(&self, log: Arc<Log>) {
        lock(&self.logs).push(log);
        // Those of threads that have ended are to be emptied some time.
        self.grow(EMPTY_LOG);
    }

    /// Notes that a log has grown, and makes room where all have grown too much.
    pub(super) fn grow(&self, by: usize) {
        if self.noted.fetch_add(by, Ordering::Relaxed) + by > EVENTS_PER_SPAN * self.most_spans() {
            self.make_room();
        }
    }

    fn most_spans(&self) -> usize {
        self.last.unwrap_or(MOST_SPANS)
    }

    fn make_room(&self) {
        let began = Moment::now();
        self.state().settled.toll.held_up += Moment::now() - began;
    }

    /// All that was noted until now, put together.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut locked = lock(&self.state);
        let state = &mut *locked;
        self.noted.store(0, Ordering::Relaxed);
        // What a log gets once it was emptied is later than this.
        let now = Moment::now();
        let mut logs = lock(&self.logs);
        logs.iter().for_each(|log| state.empty(log));
        // Only this list still holds the log of a thread that has ended.
        logs.retain(|log| Arc::strong_count(log) > 1 || !lock(&log.noted).is_empty());
        drop(logs);
        state.replay_until(now);
        let limit = self.most_spans();
        if state.replay.done.len() + state.settled.weight() > limit {
            state.replay.share_out(&mut state.settled);
            state.settled.limit(self.last.is_some(), limit);
        }
        locked
    }

    /// Runs `f` with what was put together.
    pub(super) fn with_settled<R>(&self, f: impl FnOnce(&mut Settled) -> R) -> R {
        f(&mut lock(&self.state).settled)
    }

    /// Takes all spans that are complete.
    pub(super) fn take(&self) -> Recording {
        let state = &mut *self.state();
        state.replay.share_out(&mut state.settled);
        let logs = lock(&self.logs);
        let lives = |lane: &LaneId| {
            logs.iter()
                .any(|log| LaneKind::Thread.lane(log.thread) == *lane)
        };
        state.settled.take(lives)
    }

    /// All spans until now, those that are open too.
    pub(super) fn so_far(&self) -> Recording {
        let state = self.state();
        let now = Moment::now();
        let (mut settled, mut replay) = (state.settled.clone(), state.replay.ended(now));
        drop(state);
        replay.share_out(&mut settled);
        settled.add_busy_processes(now);
        let mut recording = settled.into_recording();
        recording.wall = now - recording.start;
        recording
    }
}

impl State {
    fn empty(&mut self, log: &Log) {
        let noted = mem::take(&mut *lock(&log.noted));
        self.settled.toll.events += (noted.events.len() + noted.samples.len()) as u64;
        if let Some(name) = &log.name {
            self.settled.name(LaneKind::Thread.lane(log.thread), name);
        }
        let events = noted.events.into_iter();
        self.early.extend(events.map(|event| (log.thread, event)));
        for (name, at, level) in noted.samples {
            self.settled.sample(name.into(), at, level);
        }
    }

    fn replay_until(&mut self, now: Moment) {
        let mut events = mem::take(&mut self.early);
        // Stable: what a thread noted stays in order.
        events.sort_by_key(|(_, event)| event.at);
        self.early = events.split_off(events.partition_point(|(_, event)| event.at <= now));
        let before = self.replay.done.len();
        for (thread, event) in events {
            self.replay.apply(thread, event);
        }
        self.settled.toll.spans += (self.replay.done.len() - before) as u64;
    }
}
