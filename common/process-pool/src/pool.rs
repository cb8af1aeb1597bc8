//! The pool as its user sees it.

use crate::{
    Ledger, Task, TaskError,
    job::Reply,
    oneshot::{Arrival, OneShot, lock},
    shared::Shared,
    task, wire,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData, num::NonZeroUsize, sync::Arc, time::Duration};

/// Worker processes that run one function; made by [`Worker::pool`](crate::Worker::pool).
///
/// It can be shared between threads, in an `Arc` or a `static`. Dropping it cancels what waits and
/// runs, kills the workers and reaps them, which blocks for some milliseconds; see
/// [`shutdown_async`](Self::shutdown_async) for async programs.
pub struct ProcessPool<I, O> {
    pub(crate) shared: Arc<Shared>,
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
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let types = PhantomData;
        Self { shared, types }
    }

    /// How many workers it was asked for.
    pub fn workers(&self) -> NonZeroUsize {
        self.shared.settings.workers
    }

    /// What all tasks and workers so far have come to.
    ///
    /// When nothing waits or runs, `submitted = done + failed + cancelled`.
    pub fn ledger(&self) -> Ledger {
        self.shared.ledger()
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        let state = lock(&self.shared.state);
        let alive = state
            .ready_workers()
            .filter(|worker| !worker.watch.has_ended());
        alive.map(|worker| worker.pid).collect()
    }

    /// How long each slot's first worker took from its start until it was ready.
    pub fn startup(&self) -> Vec<Duration> {
        lock(&self.shared.state).startup()
    }

    /// Takes no more tasks, waits until every submitted one has ended, then ends the workers.
    ///
    /// Returns the final ledger. To end without waiting, drop the pool.
    pub fn shutdown(&self) -> Ledger {
        self.shared.finish(None);
        self.shared.end().wait();
        self.ledger()
    }

    /// As [`shutdown`](Self::shutdown), but cancels what has not ended after `limit`.
    pub fn shutdown_within(&self, limit: Duration) -> Ledger {
        self.shared.finish(Some(limit));
        self.shared.end().wait();
        self.ledger()
    }

    /// As [`shutdown`](Self::shutdown), without blocking the thread; a limit is optional.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the pool shuts down all the same.
    pub async fn shutdown_async(&self, limit: Option<Duration>) -> Ledger {
        self.shared.finish(limit);
        Arrival(&self.shared.end()).await;
        self.ledger()
    }
}

impl<I, O> Drop for ProcessPool<I, O> {
    fn drop(&mut self) {
        self.shared.stop();
        self.shared.end().wait();
    }
}

impl<I: Serialize, O: DeserializeOwned> ProcessPool<I, O> {
    /// Runs one task and waits for its result, blocking the thread.
    ///
    /// # Errors
    /// Any [`TaskError`].
    pub fn call(&self, input: I) -> Result<O, TaskError> {
        self.submit(input).wait()
    }

    /// Queues one task; blocks while the queue is at its limit.
    pub fn submit(&self, input: I) -> Task<O> {
        self.shared.take_room();
        self.queue(&input)
    }

    /// Queues one task unless the queue is at its limit.
    ///
    /// # Errors
    /// The input, when there is no room for it.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        if self.shared.try_take_room() {
            Ok(self.queue(&input))
        } else {
            Err(input)
        }
    }

    /// Queues one task, waiting without blocking the thread while the queue is at its limit.
    ///
    /// Room is given out in the order in which it was asked for.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has queued nothing, and the input is gone.
    pub async fn submit_async(&self, input: I) -> Task<O> {
        self.shared.take_room_async().await;
        self.queue(&input)
    }

    /// Queues a task for which there is room.
    fn queue(&self, input: &I) -> Task<O> {
        let outcome = Arc::<OneShot<_>>::default();
        let place = Place(Some(&self.shared));
        let mut bytes = Vec::new();
        let encoded = wire::encode(input, &mut bytes);
        place.keep();
        let task = match encoded {
            Ok(()) => {
                let reply = Reply::Handle(Arc::clone(&outcome));
                self.shared.add(1, bytes, reply)
            }
            Err(reason) => {
                outcome.put(Err(task::not_encoded(reason)));
                self.shared.refuse()
            }
        };
        Task::new(Arc::clone(&self.shared), task, outcome)
    }
}

/// A place in the queue, given back if encoding the input panics.
struct Place<'a>(Option<&'a Shared>);

impl Place<'_> {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.give_back_room();
        }
    }
}
