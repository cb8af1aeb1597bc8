//! Maps a function over inputs in worker processes.
//!
//! A [`Worker`] is a name and a plain function, declared once as a constant. The program hands it
//! to [`child::take_role`] as the first thing in `main`; workers are
//! copies of the program that take the role there.
//!
//! ```no_run
//! use process_pool::{TaskError, Worker, child};
//! use std::{num::NonZeroUsize, process::ExitCode};
//!
//! const SQUARES: Worker<u64, u128> = Worker::new("squares", sum_of_squares);
//!
//! fn sum_of_squares(n: u64) -> u128 {
//!     (1..=u128::from(n)).map(|i| i * i).sum()
//! }
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = child::take_role(&[&SQUARES]) {
//!         return code.unwrap_or(ExitCode::FAILURE);
//!     }
//!     let pool = match SQUARES.pool(NonZeroUsize::MIN.saturating_add(1)) {
//!         Ok(pool) => pool,
//!         Err(error) => {
//!             eprintln!("error: {error}");
//!             return ExitCode::FAILURE;
//!         }
//!     };
//!     // In the order of the inputs ...
//!     for sum in pool.map([10, 20, 30]) {
//!         println!("{sum:?}");
//!     }
//!     // ... as they come ...
//!     for (index, sum) in pool.map_unordered([30, 20, 10]) {
//!         println!("input {index}: {sum:?}");
//!     }
//!     // ... or one by one, to be waited for by a thread or by a future.
//!     let task = pool.submit(40);
//!     match task.wait() {
//!         Ok(sum) => println!("{sum}"),
//!         Err(TaskError::Panicked { message, location, .. }) => println!("{location}: {message}"),
//!         Err(error) => println!("{error}"),
//!     }
//!     // To submit and wait in one:
//!     println!("{:?}", pool.call(50));
//!     println!("{:?}", pool.shutdown());
//!     ExitCode::SUCCESS
//! }
//! ```
//!
//! # Failures
//! One rule: a task ends with its value or its [`TaskError`], and a task that ends its worker costs
//! no other task anything.
//!
//! | the task | the worker | the outcome |
//! |---|---|---|
//! | panics | goes on | [`TaskError::Panicked`], with message and place |
//! | exits, aborts, crashes, is killed | is replaced | begun again while [`PoolBuilder::retries`] allow, then [`TaskError::WorkerLost`] |
//! | takes longer than [`PoolBuilder::timeout`] | is killed and replaced | [`TaskError::TimedOut`] |
//! | is [cancelled](Task::cancel) while it runs | is killed and replaced | [`TaskError::Cancelled`] |
//! | is cancelled while it waits | – | [`TaskError::Cancelled`] |
//! | takes or returns what cannot be (de)serialised | goes on | [`TaskError::Encode`], [`TaskError::Decode`] |
//! | answers twice, or out of turn | is killed and replaced | as if it had crashed |
//! | prints | goes on | what it prints goes to standard error |
//!
//! `retries` is 0 by default: a task is begun at most once. An attempt is a run that a worker began:
//! a worker may have up to 15 short tasks waiting in its pipe, and those are taken back, not lost,
//! when it dies or when the one before them takes long. A worker is replaced at once; while the
//! system is short of something, after a growing pause. When none can be started any more, every
//! waiting task ends with [`TaskError::PoolBroken`]. Workers end with the pool and with the parent,
//! however that ends; so do, on Unix, the processes that they started, unless these left the
//! worker's process group.
//!
//! # Values
//! Inputs and outputs are any serde types; they travel in [postcard], a format without field names
//! or types, so `#[serde(flatten)]`, untagged enums and values such as `serde_json::Value` do not
//! come through: they are a [`TaskError::Decode`]. Many bytes travel as one piece in a type such as
//! `serde_bytes::ByteBuf`; serde takes a `Vec<u8>` byte by byte, which is several times slower. An
//! encoded value may have [`MAX_VALUE_BYTES`]. An input is encoded when it is submitted and kept as
//! bytes until its task ends, which is why it need not be `Clone` to be retried.
//!
//! # Threads and locks
//! A pool has one thread. [`ProcessPool::map`], [`call`](ProcessPool::call),
//! [`submit`](ProcessPool::submit) (at the queue's limit), [`Task::wait`],
//! [`shutdown`](ProcessPool::shutdown) and dropping a pool block; `async` functions and tasks as
//! futures do not, and need no runtime of a certain kind. Pools and tasks are `Send` and `Sync`,
//! whatever their values are. Values are encoded and decoded on the caller's threads. No code of the
//! caller runs while the pool holds a lock.
//!
//! [postcard]: https://docs.rs/postcard

mod builder;
mod caught;
pub mod child;
mod error;
mod event_loop;
mod job;
mod oneshot;
pub mod panics;
mod pool;
mod record;
mod room;
mod shared;
mod state;
mod stream;
mod task;
mod wire;
mod worker;

pub use builder::PoolBuilder;
pub use error::{Payload, PoolError, TaskError, WorkerStartError};
pub use pool::ProcessPool;
pub use stream::Unordered;
pub use task::{Canceller, Task};

use crate::child::{Link, Role};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, num::NonZeroUsize, process::ExitCode};

/// An encoded input or output may have so many bytes: 1,020 MiB.
pub const MAX_VALUE_BYTES: usize = child::MESSAGE_LIMIT_BYTES - (4 << 20);

/// A function that worker processes run, under the name by which they find it.
pub struct Worker<I, O> {
    name: &'static str,
    function: fn(I) -> O,
}

impl<I, O> Worker<I, O> {
    /// Names a function; the name is unique within the program.
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
        PoolBuilder::new(self.name)
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
        worker::serve(self.name, self.function, link)
    }
}

impl<I, O> Clone for Worker<I, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I, O> Copy for Worker<I, O> {}

impl<I, O> fmt::Debug for Worker<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .finish_non_exhaustive()
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
