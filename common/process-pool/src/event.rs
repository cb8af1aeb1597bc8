//! What a recording of a pool is made of; nothing is noted unless somebody asks.

use crate::child::Exit;
use std::{sync::OnceLock, time::Duration};

/// Something that happens in a pool; see [`PoolBuilder::on_event`](crate::PoolBuilder::on_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A task is about to be queued.
    Submitted(u64),
    /// A task's outcome was taken.
    Received(u64),
    /// A worker can serve.
    Ready {
        /// Which worker.
        worker: WorkerId,
        /// How long that took from its start.
        took: Duration,
        /// The worker's [note](note_tasks) of it.
        note: Vec<u8>,
    },
    /// A worker has begun a task.
    Begun(WorkerId, u64),
    /// A worker has ended a task, well or not.
    Done {
        /// Which worker.
        worker: WorkerId,
        /// Which task.
        task: u64,
        /// The worker's [note](note_tasks) of it.
        note: Vec<u8>,
    },
    /// A worker has ended, and how, with the task that it had begun and for how long.
    Gone(WorkerId, Exit, Option<(u64, Duration)>),
}

/// A worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerId {
    /// Its process id.
    pub pid: u32,
    /// Its place in the pool, from 0; a worker that replaces another has the same.
    pub slot: usize,
}

/// When a worker is asked for a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It is about to be ready.
    Ready,
    /// It is about to run a task; this note is dropped.
    Begin,
    /// It has run a task of the function of this name.
    End(&'static str),
}

static NOTES: OnceLock<fn(Stage) -> Vec<u8>> = OnceLock::new();

/// Has this process, once it is a worker, send notes to a pool with
/// [`on_event`](crate::PoolBuilder::on_event); called before its role is taken.
pub fn note_tasks(notes: fn(Stage) -> Vec<u8>) {
    // The first one counts.
    let _ = NOTES.set(notes);
}

pub(crate) fn note(stage: Stage) -> Vec<u8> {
    NOTES.get().map_or_else(Vec::new, |notes| notes(stage))
}

/// What the caller does with events.
pub(crate) type Hook = Box<dyn Fn(Event) + Send + Sync>;
