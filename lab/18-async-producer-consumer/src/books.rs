//! The books of a run: what was accepted, taken and finished, and how deep the queue was.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// The books while the tasks write in them; exact where all tasks take turns on one thread.
#[derive(Debug)]
pub(crate) struct Books {
    started: Instant,
    entries: Mutex<Entries>,
    finished: watch::Sender<usize>,
}

/// What the books say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    /// Items that the queue accepted.
    pub accepted: usize,
    /// Items that consumers took out of the queue.
    pub taken: usize,
    /// Items that consumers finished: their numbers and when.
    pub finished: Vec<(u64, Duration)>,
    /// Times that the producer found the queue full.
    pub found_full: usize,
    /// How long it waited for room, all times together.
    pub blocked: Duration,
    /// The depth of the queue after each change.
    pub depths: Vec<Depth>,
    /// What consumers panicked with.
    pub panics: Vec<String>,
}

/// How many items were in the queue from a moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depth {
    /// Since the start of the run.
    pub at: Duration,
    /// Items in the queue.
    pub items: usize,
}

impl Books {
    pub(crate) fn open() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
            finished: watch::Sender::new(0),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // An entry is whole or not begun, also if a consumer panics.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn accept(&self) {
        let mut entries = self.entries();
        entries.accepted += 1;
        self.note_depth(&mut entries);
    }

    pub(crate) fn take(&self) {
        let mut entries = self.entries();
        entries.taken += 1;
        self.note_depth(&mut entries);
    }

    fn note_depth(&self, entries: &mut Entries) {
        let items = entries.accepted - entries.taken;
        let at = self.started.elapsed();
        tracing::info!(queue = "items queued", depth = items);
        entries.depths.push(Depth { at, items });
    }

    pub(crate) fn finish(&self, number: u64) {
        let at = self.started.elapsed();
        self.entries().finished.push((number, at));
        self.finished.send_modify(|finished| *finished += 1);
    }

    pub(crate) fn found_full(&self, waited: Duration) {
        let mut entries = self.entries();
        entries.found_full += 1;
        entries.blocked += waited;
    }

    pub(crate) fn panicked(&self, message: String) {
        self.entries().panics.push(message);
    }

    /// How many items have been finished.
    pub(crate) fn finished(&self) -> usize {
        *self.finished.borrow()
    }

    /// Waits until `count` items have been finished.
    pub(crate) async fn until_finished(&self, count: usize) {
        let mut finished = self.finished.subscribe();
        let reached = finished.wait_for(|&finished| finished >= count).await;
        reached.expect("the sender is in these books");
    }

    pub(crate) fn close(&self) -> Entries {
        self.entries().clone()
    }
}

impl Entries {
    /// Items that are still in the queue.
    pub fn left_in_queue(&self) -> usize {
        self.accepted - self.taken
    }

    /// Items that a consumer took and did not finish.
    pub fn left_in_hand(&self) -> usize {
        self.taken - self.finished.len()
    }

    /// The most items in the queue at once.
    pub fn peak_depth(&self) -> usize {
        let depths = self.depths.iter().map(|depth| depth.items);
        depths.max().unwrap_or_default()
    }

    /// The longest time between two finished items.
    pub fn longest_gap(&self) -> Duration {
        let gaps = self.finished.windows(2).map(|pair| pair[1].1 - pair[0].1);
        gaps.max().unwrap_or_default()
    }
}
