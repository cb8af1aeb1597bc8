//! The pool and its tasks as their user sees them.

use crate::{
    Event, Ledger, TaskError, Worker,
    queue::{Job, Outcome},
    state::{Shared, lock},
};
use asyncband::{blocking::FutureExt, semaphore::OwnedSemaphorePermit as Permit};
use futures_channel::oneshot::{self, Canceled, Receiver};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Worker processes that run one function; made by [`PoolBuilder::start`](crate::PoolBuilder::start).
///
/// Dropping it cancels what waits and runs, kills the workers and reaps them, which blocks for some
/// milliseconds; see [`shutdown_async`](Self::shutdown_async) for async programs.
#[derive(Debug)]
pub struct ProcessPool<I, O> {
    pub(crate) owner: Arc<Owner>,
    pub(crate) function: u8,
    types: PhantomData<fn(I) -> O>,
}

/// Ends the pool with the last that has it.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) supervisors: Vec<JoinHandle<()>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.change(|state| state.end(TaskError::Cancelled));
        // A waker or a hook may be what drops it, on a thread that would wait for itself.
        let own = thread::current().id();
        let others = self.supervisors.drain(..);
        let others = others.filter(|supervisor| supervisor.thread().id() != own);
        others.for_each(|supervisor| drop(supervisor.join()));
    }
}

impl<I, O> ProcessPool<I, O> {
    pub(crate) fn new(owner: Arc<Owner>, function: u8) -> Self {
        let types = PhantomData;
        Self {
            owner,
            function,
            types,
        }
    }

    /// The same workers for another function that [`PoolBuilder::also`](crate::PoolBuilder::also)
    /// named. They end with the last of the pools that share them.
    ///
    /// # Panics
    /// If the builder did not name that function, with these types.
    pub fn share<J, P>(&self, worker: &Worker<J, P>) -> ProcessPool<J, P> {
        let place = self.owner.shared.settings.place(worker);
        let place =
            place.unwrap_or_else(|| panic!("`{}` is no function of this pool", worker.name));
        ProcessPool::new(Arc::clone(&self.owner), place)
    }

    /// What all tasks and workers so far have come to: [`Ledger::balances`] when nothing waits or runs.
    pub fn ledger(&self) -> Ledger {
        self.owner.shared.ledger()
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        let state = lock(&self.owner.shared.state);
        let ready = state.slots.iter().filter(|slot| slot.is_ready());
        let workers = ready.flat_map(|slot| &slot.worker);
        workers.map(|worker| worker.child.id()).collect()
    }

    /// Takes no more tasks, waits until every submitted one has ended, then ends the workers.
    ///
    /// Past `limit`, if there is one, it cancels what has not ended. Returns the final ledger. To end
    /// without waiting, drop the pool.
    pub fn shutdown(&self, limit: Option<Duration>) -> Ledger {
        self.shutdown_async(limit).block_on()
    }

    /// As [`shutdown`](Self::shutdown), without blocking the thread.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the pool shuts down all the same.
    pub async fn shutdown_async(&self, limit: Option<Duration>) -> Ledger {
        let over_at = limit.and_then(|limit| Instant::now().checked_add(limit));
        self.owner.shared.change(|state| {
            state.close();
            let earlier = state.queue.over_at.into_iter();
            state.queue.over_at = earlier.chain(over_at).min();
        });
        self.owner.shared.ended.wait().await;
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
        self.submit_async(input).block_on()
    }

    /// Queues one task unless the queue is at its limit; then the input comes back, not encoded.
    ///
    /// # Errors
    /// The input.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        match Arc::clone(&self.owner.shared.room).try_acquire_owned(1) {
            Some(permit) => Ok(self.queue(&input, permit)),
            None => Err(input),
        }
    }

    /// Queues one task, waiting without blocking the thread while the queue is at its limit; room is
    /// given out in the order in which it was asked for.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has queued nothing, and the input is gone.
    pub async fn submit_async(&self, input: I) -> Task<O> {
        let permit = Arc::clone(&self.owner.shared.room).acquire_owned(1).await;
        self.queue(&input, permit)
    }

    /// Queues a task for which there is room.
    fn queue(&self, input: &I, permit: Permit) -> Task<O> {
        let shared = &self.owner.shared;
        let (sender, outcome) = oneshot::channel();
        let sender = Mutex::new(Some(sender));
        let reply = move |_, outcome| {
            let sender = lock(&sender).take();
            // Without a reader it is not missed.
            drop(sender.map(|sender| sender.send(outcome)));
        };
        let mut order = Vec::new();
        let encoded = shared.encode(&mut order, self.function, input);
        let tasks = shared.number(&mut order, 1);
        let task = tasks.start;
        let mut job = Job::new(tasks, order, Arc::new(reply), 0);
        job.permit = Some(permit);
        shared.add(job, encoded);
        Task {
            outcome,
            shared: Arc::clone(shared),
            task,
            cancels: false,
            output: PhantomData,
        }
    }
}

/// A task in the pool; wait for it with [`wait`](Self::wait) or `.await`.
///
/// Dropping it forgets the result; the task itself runs on, unless
/// [`cancel_on_drop`](Self::cancel_on_drop) was called.
///
/// # Cancel safety
/// A `Task` that was polled and not finished can be polled again, waited for, or dropped.
#[derive(Debug)]
#[must_use = "the result comes through this handle"]
pub struct Task<O> {
    outcome: Receiver<Outcome>,
    shared: Arc<Shared>,
    task: u64,
    cancels: bool,
    output: PhantomData<fn() -> O>,
}

impl<O> Task<O> {
    /// Its number: tasks are counted from 0 in the order in which the pool took them.
    pub fn id(&self) -> u64 {
        self.task
    }

    /// Cancels it; whether it will end as [`TaskError::Cancelled`].
    ///
    /// One that waits in the queue never begins. Of one that a worker has, the worker is killed and
    /// replaced, which takes some milliseconds. Returns `false` when the task was done already.
    pub fn cancel(&self) -> bool {
        self.shared.change(|state| state.cancel(self.task))
    }

    /// From now on, dropping this handle cancels the task.
    pub fn cancel_on_drop(mut self) -> Self {
        self.cancels = true;
        self
    }

    /// Whether it has ended, so that [`wait`](Self::wait) will not block.
    pub fn is_finished(&self) -> bool {
        !lock(&self.shared.state).has(self.task)
    }
}

impl<O: DeserializeOwned> Task<O> {
    /// Waits for the result, blocking the thread.
    ///
    /// # Errors
    /// Any [`TaskError`].
    ///
    /// # Panics
    /// Where the output's `Deserialize` does, or the task was polled after its end.
    pub fn wait(mut self) -> Result<O, TaskError> {
        let outcome = (&mut self.outcome).block_on();
        self.finish(outcome)
    }

    /// Waits for the result for at most `limit`; the task itself after that.
    ///
    /// # Errors
    /// The task, when it takes longer; it goes on. Inside: any [`TaskError`].
    pub fn wait_timeout(mut self, limit: Duration) -> Result<Result<O, TaskError>, Self> {
        match (&mut self.outcome).wait_timeout(limit) {
            Some(outcome) => Ok(self.finish(outcome)),
            None => Err(self),
        }
    }

    fn finish(&mut self, outcome: Result<Outcome, Canceled>) -> Result<O, TaskError> {
        let mut outcome = outcome.expect("a task is not polled after its end");
        self.cancels = false;
        self.shared.take(self.task, &mut outcome)
    }
}

impl<O: DeserializeOwned> Future for Task<O> {
    type Output = Result<O, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut self.outcome).poll(context));
        Poll::Ready(self.finish(outcome))
    }
}

impl<O> Drop for Task<O> {
    fn drop(&mut self) {
        if self.cancels {
            self.cancel();
        }
    }
}

impl Shared {
    /// Makes a value of the next answer; one that cannot be made is taken back from the ledger's `done`.
    pub(crate) fn take<O>(&self, task: u64, outcome: &mut Outcome) -> Result<O, TaskError>
    where
        O: DeserializeOwned,
    {
        self.settings.notify(Event::Received(task));
        let answers = outcome.as_mut().map_err(|error| error.clone())?;
        answers.decode().inspect_err(|_| {
            if answers.is_value() {
                let ledger = &mut lock(&self.state).queue.ledger;
                ledger.done -= 1;
                ledger.failed += 1;
            }
        })
    }
}
