//! The pool as its user sees it.

use super::{
    Ledger, Task, TaskError, Unordered, batch::Records, reply::Reply, shared::Shared, task,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt, marker::PhantomData, num::NonZeroUsize, sync::Arc, thread::JoinHandle, time::Duration,
};

/// Worker processes that run one function; made by [`Worker::pool`](super::Worker::pool).
///
/// Dropping it cancels what waits and runs, kills the workers and reaps them.
pub struct ProcessPool<I, O> {
    pub(super) shared: Arc<Shared>,
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
        self.map_unordered(inputs).in_order()
    }

    /// Runs one task per input and yields the outcomes as they come, each with its input's index.
    ///
    /// Per worker 256 tasks are ahead of what was taken from the iterator, or four orders if they are
    /// larger, or with a queue limit that many and one per worker in all: a slow reader slows the
    /// inputs down. Dropping it cancels the tasks that have not started.
    pub fn map_unordered<T>(&self, inputs: T) -> Unordered<'_, I, O, T::IntoIter>
    where
        T: IntoIterator<Item = I>,
    {
        Unordered::new(self, inputs.into_iter())
    }

    /// Runs one task and waits for its result, blocking the thread.
    ///
    /// The shortest way there is: the thread speaks to an idle worker itself, if there is one. What
    /// `submit` and [`Task::wait`] do takes two more switches between threads.
    ///
    /// # Errors
    /// Any [`TaskError`].
    pub fn call(&self, input: I) -> Result<O, TaskError> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::handle(tx);
        match encode(&input) {
            Ok(records) => {
                if let Some((loan, hand)) = self.shared.enqueue_or_lend(records, reply) {
                    loan.run(hand);
                }
            }
            Err(error) => {
                self.shared.refuse(error, reply);
            }
        }
        let record = rx.recv().unwrap_or_else(|_| Err(task::unanswered()))?;
        task::decode(&self.shared, &record)
    }

    /// Queues one task; blocks while the queue is at its limit.
    pub fn submit(&self, input: I) -> Task<O> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::handle(tx);
        let task = match encode(&input) {
            Ok(records) => self.shared.enqueue(records, reply),
            Err(error) => self.shared.refuse(error, reply),
        };
        Task::new(Arc::clone(&self.shared), task, rx)
    }

    /// Queues one task unless the queue is at its limit.
    ///
    /// # Errors
    /// The input, when there is no room for it.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::handle(tx);
        let task = match encode(&input) {
            Ok(records) => self.shared.try_enqueue(records, reply),
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
}

fn encode(input: &impl Serialize) -> Result<Records, TaskError> {
    let mut records = Records::default();
    records.push(input)?;
    Ok(records)
}
