//! How a pool is set up.

use super::{PoolError, ProcessPool, manager, shared::Shared};
use crate::child::{self, Program};
use std::{
    fmt,
    marker::PhantomData,
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long a worker may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(10);

/// What a pool was asked for.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) role: &'static str,
    pub(super) program: Program,
    pub(super) workers: NonZeroUsize,
    pub(super) retries: u32,
    pub(super) timeout: Option<Duration>,
    pub(super) queue_limit: Option<NonZeroUsize>,
    pub(super) start_limit: Duration,
}

impl Settings {
    /// Whether a worker may have several tasks at once: not where each has a time limit of its own,
    /// and not where none may be begun twice.
    pub(super) fn in_batches(&self) -> bool {
        self.retries > 0 && self.timeout.is_none()
    }
}

/// Sets up a [`ProcessPool`]; made by [`Worker::pool_builder`](super::Worker::pool_builder).
#[must_use = "nothing is started before `start`"]
pub struct PoolBuilder<I, O> {
    settings: Settings,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> fmt::Debug for PoolBuilder<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

impl<I, O> PoolBuilder<I, O> {
    pub(super) fn new(role: &'static str) -> Self {
        Self {
            settings: Settings {
                role,
                program: Program::this(),
                workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
                retries: 1,
                timeout: None,
                queue_limit: None,
                start_limit: START_LIMIT,
            },
            types: PhantomData,
        }
    }

    /// Sets the number of worker processes; by default the parallelism the system reports.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.settings.workers = workers;
        self
    }

    /// Sets how often a task is tried again after it lost its worker; by default once.
    ///
    /// A worker can be lost after the task took effect and before it could report. With 0 a task
    /// runs *at most once*. With more it runs *at least once* if it is reported as done, and may
    /// have run in part, or in full, before: right for tasks without effects outside their process.
    /// Among short tasks, which share a worker's [orders](super), that holds for its neighbours, too:
    /// each of them that was not reported when the worker was lost has had an attempt. Only a worker
    /// that was killed to cancel a neighbour costs none.
    /// A panic, a timeout and a cancellation are answers, and are not retried.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Limits how long one attempt of a task may take; by default for ever.
    ///
    /// Past it the worker is killed and replaced, and the task ends with
    /// [`TaskError::TimedOut`](super::TaskError::TimedOut).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// Limits how many tasks wait for a worker; by default memory does.
    ///
    /// Past it [`submit`](ProcessPool::submit) blocks, [`submit_async`](ProcessPool::submit_async)
    /// waits and [`try_submit`](ProcessPool::try_submit) declines.
    pub fn queue_limit(mut self, tasks: NonZeroUsize) -> Self {
        self.settings.queue_limit = Some(tasks);
        self
    }

    /// Limits how long a worker may take to get ready; by default 10 s.
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.settings.start_limit = limit;
        self
    }

    /// Sets the program that workers run; by default this one.
    pub fn program(mut self, program: Program) -> Self {
        self.settings.program = program;
        self
    }

    /// Starts the workers and waits until all of them are ready.
    ///
    /// # Errors
    /// [`PoolError::Broken`] when one of them cannot be started in three attempts,
    /// [`PoolError::Threads`] when the system refuses a thread to look after one, and
    /// [`PoolError::Nested`] inside a worker.
    pub fn start(self) -> Result<ProcessPool<I, O>, PoolError> {
        let role = self.settings.role;
        if child::is_child() {
            return Err(PoolError::Nested { role: role.into() });
        }
        let workers = self.settings.workers.get();
        let shared = Arc::new(Shared::new(self.settings));
        let mut pool = ProcessPool::new(Arc::clone(&shared));
        for slot in 0..workers {
            let manager = spawn_manager(&shared, slot);
            // An early return drops the pool, which ends what was started.
            pool.managers
                .push(manager.map_err(|source| PoolError::Threads { workers, source })?);
        }
        shared
            .wait_until_ready()
            .map_err(|reason| PoolError::Broken { reason })?;
        Ok(pool)
    }
}

fn spawn_manager(shared: &Arc<Shared>, slot: usize) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(format!("manager of worker {}", slot + 1))
        .spawn(move || manager::manage(&shared, slot))
}
