//! How a pool is set up.

use crate::{
    Event, PoolError, ProcessPool, Worker,
    child::{self, Program},
    pool::Owner,
    state::{self, Shared},
    wire::{self, IS_NOTED, NO_TASK},
};
use serde::Serialize;
use std::{
    ffi::OsString,
    marker::PhantomData,
    num::{NonZeroU64, NonZeroUsize},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// What a worker may use; see [`PoolBuilder::resource_limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Address space, in bytes.
    MemoryBytes(u64),
    /// Open file descriptors.
    Files(u64),
    /// Seconds of CPU time, after which it is killed.
    CpuSeconds(u64),
}

/// What a pool was asked for.
#[derive(Default)]
pub(crate) struct Settings {
    /// The functions that the workers can run.
    pub(crate) functions: Vec<(&'static str, String)>,
    /// The order that a worker is given first.
    pub(crate) initial: Option<Arc<Vec<u8>>>,
    pub(crate) program: Program,
    pub(crate) limits: Vec<Limit>,
    pub(crate) workers: usize,
    pub(crate) retries: u32,
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue_limit: Option<NonZeroUsize>,
    pub(crate) start_limit: Duration,
    pub(crate) chunk: Option<NonZeroUsize>,
    pub(crate) tasks_per_worker: Option<NonZeroU64>,
    /// What the caller does with events.
    pub(crate) hook: Option<Box<dyn Fn(Event) + Send + Sync>>,
}

impl Settings {
    /// The number of a function, if it has one.
    pub(crate) fn place<I, O>(&self, worker: &Worker<I, O>) -> Option<u8> {
        let function = (worker.name, wire::types::<I, O>());
        let place = self.functions.iter().position(|known| *known == function);
        place.map(|place| place as u8)
    }

    /// What a worker is started as.
    pub(crate) fn role(&self) -> String {
        let names: Vec<_> = self.functions.iter().map(|(name, _)| *name).collect();
        names.join(child::TOGETHER)
    }

    pub(crate) fn notify(&self, event: Event) {
        if let Some(hook) = &self.hook {
            // Its panic was printed, and is not the pool's.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| hook(event)));
        }
    }

    /// The number of a function, which is added if it is new.
    fn add<I, O>(&mut self, worker: &Worker<I, O>) -> u8 {
        self.place(worker).unwrap_or_else(|| {
            let place = self.functions.len() as u8;
            assert!(place < IS_NOTED, "too many functions");
            self.functions.push((worker.name, wire::types::<I, O>()));
            place
        })
    }
}

/// Sets up a [`ProcessPool`]; made by [`Worker::pool_builder`](crate::Worker::pool_builder).
#[must_use = "nothing is started before `start`"]
pub struct PoolBuilder<I, O> {
    pub(crate) settings: Settings,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> PoolBuilder<I, O> {
    pub(crate) fn new(worker: &Worker<I, O>) -> Self {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut settings = Settings {
            workers,
            start_limit: Duration::from_secs(10),
            ..Settings::default()
        };
        settings.add(worker);
        let types = PhantomData;
        Self { settings, types }
    }

    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.settings.functions[0].0
    }

    /// Sets the number of worker processes; by default the parallelism the system reports.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.settings.workers = workers.get();
        self
    }

    /// Sets how often a task is begun again after its worker was lost; by default 0.
    ///
    /// A worker can be lost after a task took effect and before it could report. A panic, a timeout and
    /// a cancellation are answers, and are not retried.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Limits how long one attempt of a task may take, before its worker is killed and it ends as
    /// [`TimedOut`](crate::TaskError::TimedOut); by default there is no limit.
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

    /// Limits how long a worker may take to get ready; by default 10 s. Apart from that a pool that
    /// was ready once waits about 10 s for a shortage of processes, memory or descriptors to pass.
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.settings.start_limit = limit;
        self
    }

    /// Sets how many inputs of `map` and `map_unordered` go to a worker in one message.
    ///
    /// That saves a message for each task, which matters where tasks take less than 100 µs. Its
    /// price is in the [front page](crate)'s *Chunks*; `map_unordered` waits for all inputs of one.
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
        let variable = (name.into(), value.into());
        self.settings.program.env.push(variable);
        self
    }

    /// Limits what each worker, and what it starts, may use: past that it ends, and its task as
    /// `WorkerLost`. Linux only, elsewhere ignored.
    pub fn resource_limit(mut self, limit: Limit) -> Self {
        self.settings.limits.push(limit);
        self
    }

    /// Sets the working directory of the workers; by default that of this process.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.program.folder = Some(folder.into());
        self
    }

    /// Calls `hook` with all that happens, on the thread where it happens, under no lock; a panic in
    /// it is printed, and goes no further. [`note_tasks`](crate::note_tasks) is what workers can add.
    pub fn on_event(mut self, hook: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.settings.hook = Some(Box::new(hook));
        self
    }

    /// Sets the program that workers run; by default this one.
    pub fn program(mut self, program: Program) -> Self {
        self.settings.program.path = program.path;
        self.settings.program.test = program.test;
        self
    }

    /// Lets the workers run another function, too: see [`ProcessPool::share`].
    ///
    /// # Panics
    /// Past 128 functions.
    pub fn also<J, P>(mut self, worker: &Worker<J, P>) -> Self {
        self.settings.add(worker);
        self
    }

    /// Runs `worker` with `data` in every worker process, replacements included, before its first
    /// task; where it panics, the worker could not be started.
    ///
    /// # Panics
    /// If `data` cannot be encoded, and past 128 functions.
    pub fn initialiser<D: Serialize>(mut self, worker: &Worker<D, ()>, data: &D) -> Self {
        let order = wire::encode((NO_TASK, self.settings.add(worker)), data);
        let order = order.expect("the initialiser's data can be encoded");
        self.settings.initial = Some(Arc::new(order));
        self
    }

    /// Starts the workers and waits until all of them are ready.
    ///
    /// # Errors
    /// What the last of three attempts to start a worker met; a worker itself starts none.
    pub fn start(self) -> Result<ProcessPool<I, O>, PoolError> {
        let (started, is_started) = mpsc::channel();
        let shared = Shared::new(self.settings, started).map_err(PoolError::no_room)?;
        // An early return drops it, which ends what was started.
        let mut owner = Owner {
            shared: Arc::new(shared),
            supervisors: Vec::new(),
        };
        for slot in 0..owner.shared.settings.workers {
            let shared = Arc::clone(&owner.shared);
            let name = format!("{} {}", owner.shared.settings.role(), slot + 1);
            let thread = thread::Builder::new().name(name);
            let supervisor = thread.spawn(move || state::supervise(&shared, slot));
            let supervisor = supervisor.map_err(PoolError::no_room)?;
            owner.supervisors.push(supervisor);
        }
        is_started.recv().expect("a supervisor reports")?;
        Ok(ProcessPool::new(Arc::new(owner), 0))
    }
}
