//! What all threads have noted, put together: now and then, and when it is taken.

use crate::{
    Moment,
    log::{Log, lock},
    replay::Replay,
};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Spans that a recording of a whole run holds in memory at most, of some 200 bytes each.
const MOST_SPANS: usize = 160_000;

/// A span is about so many events, of 40 bytes each, until they are put together.
const EVENTS_PER_SPAN: usize = 4;

/// A log without events takes as much as so many.
const EMPTY_LOG: usize = 16;

/// All that a timeline holds.
pub(super) struct Store {
    pub(super) number: u64,
    /// So many spans are kept, or about so many.
    most_spans: usize,
    /// Whether those are the last ones; otherwise they are the whole run, with the short ones joined.
    is_ring: bool,
    pub(super) finds_tasks: bool,
    /// Every thread's log; a log outlives its thread until it has been emptied.
    logs: Mutex<Vec<Arc<Mutex<Log>>>>,
    /// About how much all logs hold.
    noted: AtomicUsize,
    /// What was put together.
    pub(super) state: Mutex<Replay>,
}

impl Store {
    pub(super) fn new(last: Option<usize>, finds_tasks: bool) -> Self {
        static STORES: AtomicU64 = AtomicU64::new(0);
        Self {
            number: STORES.fetch_add(1, Ordering::Relaxed),
            most_spans: last.unwrap_or(MOST_SPANS),
            is_ring: last.is_some(),
            finds_tasks,
            logs: Mutex::default(),
            noted: AtomicUsize::new(0),
            state: Mutex::new(Replay::new(finds_tasks)),
        }
    }

    pub(super) fn add_log(&self, log: Arc<Mutex<Log>>) {
        lock(&self.logs).push(log);
        // Those of threads that have ended are to be emptied some time.
        self.grow(EMPTY_LOG);
    }

    /// Notes that a log has grown, and makes room where all have grown too much.
    pub(super) fn grow(&self, by: usize) {
        if self.noted.fetch_add(by, Ordering::Relaxed) + by > EVENTS_PER_SPAN * self.most_spans {
            let began = Moment::now();
            self.state().gathered.toll.held_up += Moment::now() - began;
        }
    }

    /// All that was noted until now, put together.
    pub(super) fn state(&self) -> MutexGuard<'_, Replay> {
        let mut state = lock(&self.state);
        self.noted.store(0, Ordering::Relaxed);
        let mut logs = lock(&self.logs);
        // While all are locked nothing is noted, and what comes later is later.
        let locked = logs.iter().map(|log| lock(log)).collect();
        state.replay(locked);
        // Only this list still holds the log of a thread that has ended.
        logs.retain(|log| Arc::strong_count(log) > 1 || !lock(log).events.is_empty());
        drop(logs);
        if state.done.len() + state.gathered.weight() > self.most_spans {
            state.share_out();
            state.gathered.limit(self.is_ring, self.most_spans);
        }
        state
    }
}
