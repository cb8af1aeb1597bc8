//! How a pool is set up.

use crate::{
    PoolError, ProcessPool,
    child::{self, Program},
    event_loop,
    oneshot::lock,
    record::Recorder,
    shared::Shared,
    wire,
};
use std::{
    ffi::OsString,
    fmt, io,
    marker::PhantomData,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

/// How long a worker may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(10);

/// What a pool was asked for.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) role: &'static str,
    pub(crate) types: String,
    pub(crate) program: Program,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) workers: NonZeroUsize,
    pub(crate) retries: u32,
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue_limit: Option<NonZeroUsize>,
    pub(crate) start_limit: Duration,
    pub(crate) chunk: Option<NonZeroUsize>,
    pub(crate) tasks_per_worker: Option<NonZeroU64>,
    pub(crate) recorder: Option<Recorder>,
}

/// Sets up a [`ProcessPool`]; made by [`Worker::pool_builder`](crate::Worker::pool_builder).
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
    pub(crate) fn new(role: &'static str) -> Self {
        Self {
            settings: Settings {
                role,
                types: wire::types::<I, O>(),
                program: Program::this(),
                env: Vec::new(),
                current_dir: None,
                workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
                retries: 0,
                timeout: None,
                queue_limit: None,
                start_limit: START_LIMIT,
                chunk: None,
                tasks_per_worker: None,
                recorder: None,
            },
            types: PhantomData,
        }
    }

    /// Sets the number of worker processes; by default the parallelism the system reports.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.settings.workers = workers;
        self
    }

    /// Sets how often a task is tried again after its worker was lost; by default 0.
    ///
    /// With 0 a task is begun *at most once*. With more it is begun *at least once* if it is
    /// reported as done, and a worker can be lost after a task took effect and before it could
    /// report: right for tasks without effects outside their process. Only begun tasks count: what
    /// was waiting at a worker that is lost goes to another one. A panic, a timeout and a
    /// cancellation are answers, and are not retried.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Limits how long one attempt of a task may take; by default there is no limit.
    ///
    /// Past it the worker is killed and replaced, and the task ends with
    /// [`TaskError::TimedOut`](crate::TaskError::TimedOut).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit);
        self
    }

    /// Limits how many tasks have not begun; by default memory does.
    ///
    /// Past it [`submit`](ProcessPool::submit) blocks, [`submit_async`](ProcessPool::submit_async)
    /// waits and [`try_submit`](ProcessPool::try_submit) declines. A chunk counts as one.
    pub fn queue_limit(mut self, tasks: NonZeroUsize) -> Self {
        self.settings.queue_limit = Some(tasks);
        self
    }

    /// Limits how long a worker may take to get ready; by default 10 s.
    ///
    /// A pool that was ready once waits as long for a shortage (of processes, memory, descriptors)
    /// to pass.
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.settings.start_limit = limit;
        self
    }

    /// Sets how many inputs of `map` and `map_unordered` go to a worker in one message.
    ///
    /// A chunk saves a message for each task, which matters where tasks take less than 100 µs. It
    /// costs this: its tasks run one after another on one worker, also while others idle, and
    /// `map_unordered` waits for all its inputs. If the worker is lost, the tasks of the chunk that
    /// have not begun go on one by one; those that were done stay done.
    pub fn chunk(mut self, tasks: NonZeroUsize) -> Self {
        self.settings.chunk = Some(tasks);
        self
    }

    /// Replaces each worker after it was given so many tasks; by default never.
    pub fn tasks_per_worker(mut self, tasks: NonZeroU64) -> Self {
        self.settings.tasks_per_worker = Some(tasks);
        self
    }

    /// Sets an environment variable of the workers; the others are those of this process.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.settings.env.push((name.into(), value.into()));
        self
    }

    /// Sets the working directory of the workers; by default that of this process.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.current_dir = Some(folder.into());
        self
    }

    /// Records workers and tasks into the [`Timeline`](timeline::Timeline) of the calling thread, if
    /// there is one, and counts their CPU time as this program's.
    ///
    /// A worker installs a `tracing` subscriber then: its tasks must not install another.
    pub fn recorded(mut self) -> Self {
        self.settings.recorder = Recorder::new(self.settings.role);
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
    /// [`PoolError::Thread`] when the system refuses the pool's thread, and [`PoolError::Nested`]
    /// inside a worker.
    pub fn start(self) -> Result<ProcessPool<I, O>, PoolError> {
        let role = self.settings.role;
        if child::is_child() {
            return Err(PoolError::Nested { role: role.into() });
        }
        let refused = |source: io::Error| PoolError::Thread { source };
        let shared = Arc::new(Shared::new(self.settings).map_err(refused)?);
        let started = Arc::clone(&lock(&shared.state).started);
        let serving = Arc::clone(&shared);
        thread::Builder::new()
            .name(format!("pool {role}"))
            .spawn(move || event_loop::run(&serving))
            .map_err(refused)?;
        // An early return drops the pool, which ends what was started.
        let pool = ProcessPool::new(shared);
        started.wait().unwrap_or(Ok(()))?;
        Ok(pool)
    }
}
