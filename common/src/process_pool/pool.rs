//! The pool as its user sees it.

use super::{
    Ledger, Payload, Task, TaskError,
    shared::{Reply, Shared},
    task,
};
use crossbeam_channel::{Receiver, Sender};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap, fmt, iter::FusedIterator, marker::PhantomData, num::NonZeroUsize,
    sync::Arc, thread::JoinHandle, time::Duration,
};

/// How many tasks [`ProcessPool::map_unordered`] is ahead of its reader, per worker.
const AHEAD_PER_WORKER: usize = 256;

/// Worker processes that run one function; made by [`Worker::pool`](super::Worker::pool).
///
/// Dropping it cancels what waits and runs, kills the workers and reaps them.
pub struct ProcessPool<I, O> {
    shared: Arc<Shared>,
    pub(super) managers: Vec<JoinHandle<()>>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> fmt::Debug for ProcessPool<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("role", &self.shared.settings.role)
            .field("worker_ids", &self.worker_ids())
            .field("ledger", &self.ledger())
            .finish_non_exhaustive()
    }
}

impl<I, O> ProcessPool<I, O> {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            managers: Vec::new(),
            types: PhantomData,
        }
    }

    /// How many workers it was asked for.
    pub fn workers(&self) -> NonZeroUsize {
        self.shared.settings.workers
    }

    /// What became of all tasks and workers so far.
    ///
    /// When nothing waits or runs, `submitted = done + failed + cancelled`.
    pub fn ledger(&self) -> Ledger {
        self.shared.ledger()
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        self.shared.worker_ids()
    }

    /// How long each worker took from its spawning until it was ready.
    pub fn startup(&self) -> Vec<Duration> {
        self.shared.startup()
    }

    /// Waits until every submitted task has ended, then ends the workers.
    ///
    /// Returns the final ledger. To end without waiting, drop the pool.
    pub fn shutdown(mut self) -> Ledger {
        self.shared.finish();
        self.join();
        self.shared.ledger()
    }

    fn join(&mut self) {
        for manager in self.managers.drain(..) {
            // A manager that panicked has broken the pool and said so to every task.
            let _ = manager.join();
        }
    }
}

impl<I, O> Drop for ProcessPool<I, O> {
    fn drop(&mut self) {
        self.shared.stop();
        self.join();
    }
}

impl<I: Serialize, O: DeserializeOwned> ProcessPool<I, O> {
    /// Runs one task per input and returns the outcomes in the order of the inputs.
    ///
    /// Takes inputs as it goes: apart from the outcomes it holds a bounded number of them.
    /// Blocks until all tasks have ended.
    pub fn map(&self, inputs: impl IntoIterator<Item = I>) -> Vec<Result<O, TaskError>> {
        let mut outcomes: BTreeMap<usize, _> = BTreeMap::new();
        outcomes.extend(self.map_unordered(inputs));
        outcomes.into_values().collect()
    }

    /// Runs one task per input and yields the outcomes as they come, each with its input's index.
    ///
    /// At most 256 tasks per worker, or with a queue limit that many and one per worker, are ahead
    /// of what was taken from the iterator: a slow reader slows the inputs down. Dropping it
    /// cancels the tasks that have not started.
    pub fn map_unordered<T>(&self, inputs: T) -> Unordered<'_, I, O, T::IntoIter>
    where
        T: IntoIterator<Item = I>,
    {
        let workers = self.workers().get();
        let ahead = match self.shared.settings.queue_limit {
            Some(limit) => limit.get().saturating_add(workers),
            None => workers.saturating_mul(AHEAD_PER_WORKER),
        };
        let (tx, rx) = crossbeam_channel::unbounded();
        let mut unordered = Unordered {
            pool: self,
            inputs: inputs.into_iter().enumerate().fuse(),
            ahead,
            tasks: BTreeMap::new(),
            tx,
            rx,
        };
        unordered.top_up();
        unordered
    }

    /// Queues one task; blocks while the queue is at its limit.
    pub fn submit(&self, input: I) -> Task<O> {
        let (tx, rx) = oneshot::channel();
        let task = self.enqueue(&input, Reply::Handle(tx));
        Task::new(Arc::clone(&self.shared), task, rx)
    }

    /// Queues one task unless the queue is at its limit.
    ///
    /// # Errors
    /// The input, when there is no room for it.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::Handle(tx);
        let task = match encode(&input) {
            Ok(bytes) => self.shared.try_enqueue(bytes, reply),
            Err(error) => Some(self.shared.refuse(error, reply)),
        };
        match task {
            Some(task) => Ok(Task::new(Arc::clone(&self.shared), task, rx)),
            None => Err(input),
        }
    }

    /// Queues one task, waiting without blocking the thread while the queue is at its limit.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has queued nothing, and the input is gone.
    pub async fn submit_async(&self, mut input: I) -> Task<O> {
        loop {
            input = match self.try_submit(input) {
                Ok(task) => return task,
                Err(input) => input,
            };
            if let Some(room) = self.shared.room() {
                // An error would mean that the pool is gone, which `self` rules out.
                let _ = room.await;
            }
        }
    }

    fn enqueue(&self, input: &I, reply: Reply) -> u64 {
        match encode(input) {
            Ok(bytes) => self.shared.enqueue(bytes, reply),
            Err(error) => self.shared.refuse(error, reply),
        }
    }
}

fn encode(input: &impl Serialize) -> Result<Vec<u8>, TaskError> {
    postcard::to_stdvec(input).map_err(|error| TaskError::Encode {
        payload: Payload::Input,
        reason: error.to_string(),
    })
}

/// Outcomes as they come; see [`ProcessPool::map_unordered`].
#[must_use = "what has not started is cancelled when it is dropped"]
pub struct Unordered<'pool, I, O, T: Iterator<Item = I>> {
    pool: &'pool ProcessPool<I, O>,
    inputs: std::iter::Fuse<std::iter::Enumerate<T>>,
    ahead: usize,
    /// The number of every task that is under way, by its index.
    tasks: BTreeMap<usize, u64>,
    tx: Sender<(usize, Result<Vec<u8>, TaskError>)>,
    rx: Receiver<(usize, Result<Vec<u8>, TaskError>)>,
}

impl<I, O, T: Iterator<Item = I>> fmt::Debug for Unordered<'_, I, O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unordered")
            .field("under_way", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl<I, O, T> Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
    fn top_up(&mut self) {
        while self.tasks.len() < self.ahead {
            let Some((index, input)) = self.inputs.next() else {
                return;
            };
            let reply = Reply::Iterator(self.tx.clone(), index);
            self.tasks.insert(index, self.pool.enqueue(&input, reply));
        }
    }
}

impl<I, O, T> Iterator for Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        self.top_up();
        if self.tasks.is_empty() {
            return None;
        }
        let (index, outcome) = self.rx.recv().expect("this iterator holds a sender itself");
        self.tasks.remove(&index);
        self.top_up();
        Some((index, task::decode(&self.pool.shared, outcome)))
    }
}

impl<I, O, T> FusedIterator for Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
}

impl<I, O, T: Iterator<Item = I>> Drop for Unordered<'_, I, O, T> {
    fn drop(&mut self) {
        for task in self.tasks.values() {
            self.pool.shared.cancel_queued(*task);
        }
    }
}
