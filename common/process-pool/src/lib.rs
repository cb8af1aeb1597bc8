#![doc = include_str!("../README.md")]

mod builder;
pub mod child;
mod error;
pub mod panics;
mod pool;
mod queue;
mod served;
mod state;
mod stream;
mod wire;
mod worker;

pub use builder::{Limit, PoolBuilder};
pub use error::{PoolError, TaskError};
pub use pool::{ProcessPool, Task};
pub use stream::Unordered;

use crate::child::Exit;
use serde::{Deserialize, Serialize};
use std::{sync::OnceLock, time::Duration};

/// An encoded input or output may have so many bytes: 1,020 MiB.
pub const MAX_VALUE_BYTES: usize = wire::MESSAGE_LIMIT_BYTES - (4 << 20);

/// A function that worker processes run, under the name by which they find it.
#[derive(Debug)]
pub struct Worker<I, O> {
    name: &'static str,
    function: fn(I) -> O,
}

impl<I, O> Worker<I, O> {
    /// Names a function; the name is unique within the program, and has no comma.
    pub const fn new(name: &'static str, function: fn(I) -> O) -> Self {
        Self { name, function }
    }

    /// Sets up a pool.
    pub fn pool_builder(&self) -> PoolBuilder<I, O> {
        PoolBuilder::new(self)
    }

    /// Runs the function here, in this process; the sequential counterpart of a pool.
    pub fn run_here(&self, input: I) -> O {
        (self.function)(input)
    }
}

/// What a pool's tasks and workers have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Tasks that the pool was given.
    pub submitted: u64,
    /// Tasks with a value.
    pub done: u64,
    /// Tasks with an error other than cancellation.
    pub failed: u64,
    /// Tasks that were cancelled, by their handle or by the end of the pool.
    pub cancelled: u64,
    /// Attempts after a first one.
    pub retried: u64,
    /// Worker processes started, replacements included.
    pub workers_started: u64,
    /// Worker processes that died or were killed before the pool was done with them.
    pub workers_lost: u64,
}

impl Ledger {
    /// Whether every submitted task is accounted for: nothing waits or runs.
    pub fn balances(&self) -> bool {
        self.submitted == self.done + self.failed + self.cancelled
    }
}

/// Something that happens in a pool; see [`PoolBuilder::on_event`](crate::PoolBuilder::on_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A task is about to be queued.
    Submitted(u64),
    /// A task's outcome was taken.
    Received(u64),
    /// A worker can serve, so long after its start, and its [note](note_tasks) of that.
    Ready(WorkerId, Duration, Vec<u8>),
    /// A worker has begun a task.
    Begun(WorkerId, u64),
    /// A worker has ended a task, well or not, and its [note](note_tasks) of it.
    Done(WorkerId, u64, Vec<u8>),
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

type Notes = fn(Option<&'static str>, &mut dyn FnMut()) -> Vec<u8>;

static NOTES: OnceLock<Notes> = OnceLock::new();

/// Has this process, once it is a worker, send notes to a pool with
/// [`on_event`](crate::PoolBuilder::on_event); called before its role is taken.
///
/// `notes` is given the name of a function and a task of it, which it runs, or `None` and nothing to
/// run where the worker is about to be ready; it returns the note.
pub fn note_tasks(notes: fn(Option<&'static str>, &mut dyn FnMut()) -> Vec<u8>) {
    // The first one counts.
    let _ = NOTES.set(notes);
}

pub(crate) fn note(task: Option<&'static str>, run: &mut dyn FnMut()) -> Vec<u8> {
    let plain: Notes = |_, run| {
        run();
        Vec::new()
    };
    NOTES.get().unwrap_or(&plain)(task, run)
}
