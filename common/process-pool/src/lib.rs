#![doc = include_str!("../README.md")]

mod builder;
mod caught;
pub mod child;
mod error;
mod event;
pub mod panics;
mod pool;
mod queue;
mod served;
mod state;
mod stream;
mod supervisor;
mod sync;
mod task;
mod wire;
mod worker;

pub use builder::{Limit, PoolBuilder};
pub use error::{Payload, PoolError, TaskError};
pub use event::{Event, Stage, WorkerId, note_tasks};
pub use pool::ProcessPool;
pub use stream::Unordered;
pub use task::Task;

use crate::child::{Link, Role};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{num::NonZeroUsize, process::ExitCode};

/// An encoded input or output may have so many bytes: 1,020 MiB.
pub const MAX_VALUE_BYTES: usize = child::MESSAGE_LIMIT_BYTES - (4 << 20);

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

    /// Starts a pool of `workers` processes; see [`PoolBuilder`] for all that can be set.
    ///
    /// # Errors
    /// As [`PoolBuilder::start`].
    pub fn pool(&self, workers: NonZeroUsize) -> Result<ProcessPool<I, O>, PoolError> {
        self.pool_builder().workers(workers).start()
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

impl<I: DeserializeOwned, O: Serialize> Role for Worker<I, O> {
    fn name(&self) -> &str {
        self.name
    }

    fn serve(&self, link: Link) -> ExitCode {
        served::serve(&[self], link)
    }

    fn function(&self) -> Option<&dyn served::Function> {
        Some(self)
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
