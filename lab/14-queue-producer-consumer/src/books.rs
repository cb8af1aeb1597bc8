//! The books of a run: who did what when, and how full the queue was. They outlive a panic.

use crossbeam::channel::{Receiver, Sender, unbounded};
use timeline::Moment;

/// The producer's number; consumers count from 1.
pub const PRODUCER: usize = 0;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message went into the queue; `None` is a sentinel.
    Put(Option<u64>),
    /// A message came out of it.
    Taken(Option<u64>),
    /// An item was handled.
    Done(u64),
    /// The queue was full, or empty, until now.
    Blocked {
        /// Since when.
        since: Moment,
    },
    /// The queue was found full or empty.
    Depth,
}

/// A line of the books.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// [`PRODUCER`], or a consumer's number.
    pub who: usize,
    /// How many messages were in the queue right after.
    pub depth: usize,
    /// What.
    pub event: Event,
}

/// One thread's way to write into the books.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    who: usize,
    lines: Sender<Entry>,
}

/// All entries, for when the run is over.
pub(crate) struct Entries {
    opened: Moment,
    pub(crate) lines: Receiver<Entry>,
}

/// Opens the books.
pub(crate) fn open() -> (Books, Entries) {
    // Unbounded: whoever writes must not be held up by it.
    let (tx, rx) = unbounded();
    let (opened, lines) = (Moment::now(), rx);
    let books = Books {
        who: PRODUCER,
        lines: tx,
    };
    (books, Entries { opened, lines })
}

impl Books {
    pub(crate) fn of(&self, who: usize) -> Self {
        let lines = self.lines.clone();
        Self { who, lines }
    }

    pub(crate) fn note(&self, depth: usize, event: Event) {
        let (at, who) = (Moment::now(), self.who);
        tracing::info!(queue = "items queued", depth);
        // They are read after the last thread has ended.
        let _ = self.lines.send(Entry {
            at,
            who,
            depth,
            event,
        });
    }
}

impl Entries {
    /// Everything that was written, in order of time, and when the books were opened and closed.
    pub(crate) fn read(self) -> (Vec<Entry>, Moment, Moment) {
        let mut entries: Vec<Entry> = self.lines.into_iter().collect();
        entries.sort_by_key(|entry| entry.at);
        (entries, self.opened, Moment::now())
    }
}
