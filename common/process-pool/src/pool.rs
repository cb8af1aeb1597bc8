//! The pool as its user sees it.

use crate::{
    Ledger, Task, TaskError, Worker,
    job::{Job, Reply},
    room::Permit,
    shared::Shared,
    supervisor, task,
    wait::{OneShot, block_on, lock},
    wire::{self, ORDER_BYTES, Order},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// Worker processes that run one function; made by [`Worker::pool`](crate::Worker::pool).
///
/// It can be shared between threads, in an `Arc` or a `static`. Dropping it cancels what waits and
/// runs, kills the workers and reaps them, which blocks for some milliseconds; see
/// [`shutdown_async`](Self::shutdown_async) for async programs.
pub struct ProcessPool<I, O> {
    owner: Arc<Owner>,
    pub(crate) function: u8,
    types: PhantomData<fn(I) -> O>,
}

/// Ends the pool with the last that has it.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.change(|state, effects| state.stop(effects));
        // A waker or a hook may be what drops it, on a thread that would wait for itself.
        if !supervisor::is_one() {
            block_on(self.0.end());
        }
    }
}

impl Shared {
    /// Waits until no worker is left.
    async fn end(&self) {
        let end = Arc::<OneShot<()>>::default();
        let is_over = self.change(|state, _| {
            state.waiting_for_end.push(Arc::clone(&end));
            state.has_ended()
        });
        if !is_over {
            (&*end).await;
        }
    }
}

impl<I, O> fmt::Debug for ProcessPool<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("functions", &self.shared().settings.functions)
            .field("worker_ids", &self.worker_ids())
            .field("ledger", &self.ledger())
            .finish_non_exhaustive()
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
        let wanted = (worker.name, wire::types::<J, P>());
        let mut functions = (0..).zip(&self.shared().settings.functions);
        let (function, _) = functions
            .find(|(_, function)| **function == wanted)
            .unwrap_or_else(|| panic!("`{}` is no function of this pool", worker.name));
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
        lock(&self.shared().state).ledger
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        let state = lock(&self.shared().state);
        state.slots.iter().filter_map(|slot| slot.pid).collect()
    }

    /// How long each slot's first worker took from its start until it was ready.
    pub fn startup(&self) -> Vec<Duration> {
        let state = lock(&self.shared().state);
        state.slots.iter().filter_map(|slot| slot.startup).collect()
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
        self.shared()
            .change(|state, effects| state.finish(limit, effects));
        self.shared().end().await;
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
        let room = &self.shared().room;
        let permit = room.try_take().unwrap_or_else(|| block_on(room.take()));
        self.queue(&input, permit)
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
        let outcome = Arc::<OneShot<_>>::default();
        let mut message = vec![0; ORDER_BYTES];
        let task = match wire::encode(input, &mut message) {
            Ok(()) => {
                let reply = Reply::Handle(Arc::clone(&outcome));
                let order = Order::of(self.function, 1);
                shared.add(Job::new(order, message, reply, Some(permit)))
            }
            Err(reason) => {
                outcome.put(Err(task::not_encoded(reason)));
                shared.refuse()
            }
        };
        Task::new(Arc::clone(shared), task, outcome)
    }
}
