//! The pool as its user sees it.

use crate::{
    Ledger, Task, TaskError, Worker,
    state::Shared,
    supervisor,
    sync::{self, Permit, block_on, lock},
};
use futures_channel::oneshot;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

/// Worker processes that run one function; made by [`Worker::pool`](crate::Worker::pool).
///
/// It can be shared between threads, in an `Arc` or a `static`. Dropping it cancels what waits and
/// runs, kills the workers and reaps them, which blocks for some milliseconds; see
/// [`shutdown_async`](Self::shutdown_async) for async programs.
#[derive(Debug)]
pub struct ProcessPool<I, O> {
    owner: Arc<Owner>,
    pub(crate) function: u8,
    types: PhantomData<fn(I) -> O>,
}

/// Ends the pool with the last that has it.
#[derive(Debug)]
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.change(|state| state.end(TaskError::Cancelled));
        // A waker or a hook may be what drops it, on a thread that would wait for itself.
        if !supervisor::is_one() {
            block_on(self.0.ended.take());
        }
    }
}

impl<I, O> ProcessPool<I, O> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            owner: Arc::new(Owner(shared)),
            function: 0,
            types: PhantomData,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.owner.0
    }

    /// The same workers for another function that [`PoolBuilder::also`](crate::PoolBuilder::also)
    /// named. They end with the last of the pools that share them.
    ///
    /// # Panics
    /// If the builder did not name that function, with these types.
    pub fn share<J, P>(&self, worker: &Worker<J, P>) -> ProcessPool<J, P> {
        let place = self.shared().settings.place(worker);
        let function =
            place.unwrap_or_else(|| panic!("`{}` is no function of this pool", worker.name));
        ProcessPool {
            owner: Arc::clone(&self.owner),
            function,
            types: PhantomData,
        }
    }

    /// What all tasks and workers so far have come to.
    ///
    /// When nothing waits or runs, `submitted = done + failed + cancelled`.
    pub fn ledger(&self) -> Ledger {
        self.shared().ledger()
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        let state = lock(&self.shared().state);
        let ready = state.slots.iter().filter(|slot| slot.is_ready());
        let workers = ready.flat_map(|slot| &slot.worker);
        workers.map(|worker| worker.child.id()).collect()
    }

    /// Takes no more tasks, waits until every submitted one has ended, then ends the workers.
    ///
    /// Returns the final ledger. To end without waiting, drop the pool.
    pub fn shutdown(&self) -> Ledger {
        block_on(self.shutdown_async(None))
    }

    /// As [`shutdown`](Self::shutdown), but cancels what has not ended after `limit`.
    pub fn shutdown_within(&self, limit: Duration) -> Ledger {
        block_on(self.shutdown_async(Some(limit)))
    }

    /// As [`shutdown`](Self::shutdown), without blocking the thread; a limit is optional.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the pool shuts down all the same.
    pub async fn shutdown_async(&self, limit: Option<Duration>) -> Ledger {
        let shared = self.shared();
        let over_at = limit.and_then(|limit| Instant::now().checked_add(limit));
        shared.change(|state| state.close(over_at));
        shared.ended.take().await;
        self.ledger()
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
        block_on(self.submit_async(input))
    }

    /// Queues one task unless the queue is at its limit; then the input comes back, not encoded.
    ///
    /// # Errors
    /// The input.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        match self.shared().room.try_take() {
            Some(permit) => Ok(self.queue(&input, permit)),
            None => Err(input),
        }
    }

    /// Queues one task, waiting without blocking the thread while the queue is at its limit.
    ///
    /// Room is given out in the order in which it was asked for.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has queued nothing, and the input is gone.
    pub async fn submit_async(&self, input: I) -> Task<O> {
        let permit = self.shared().room.take().await;
        self.queue(&input, permit)
    }

    /// Queues a task for which there is room.
    fn queue(&self, input: &I, permit: Permit) -> Task<O> {
        let shared = self.shared();
        let (sender, outcome) = oneshot::channel();
        let reply = Box::new(|_, outcome| sync::send(sender, outcome));
        let (task, job) = shared.job(self.function, input, reply);
        if let Some(mut job) = job {
            job.permit = Some(permit);
            shared.add([job].into());
        }
        Task::new(Arc::clone(shared), task, outcome)
    }
}
