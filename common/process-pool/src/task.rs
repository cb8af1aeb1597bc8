//! The handle of a submitted task.

use crate::{
    Event, Payload, TaskError,
    queue::Outcome,
    state::Shared,
    sync::{block_on, block_until, lock},
    wire::Message,
};
use futures_channel::oneshot::{Canceled, Receiver};
use serde::de::DeserializeOwned;
use std::{
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

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
    pub(crate) fn new(shared: Arc<Shared>, task: u64, outcome: Receiver<Outcome>) -> Self {
        Self {
            outcome,
            shared,
            task,
            cancels: false,
            output: PhantomData,
        }
    }

    /// Its number: tasks are counted from 0 in the order in which the pool took them.
    pub fn id(&self) -> u64 {
        self.task
    }

    /// Cancels it; whether it will end as [`TaskError::Cancelled`].
    ///
    /// One that waits in the queue never begins. Of one that a worker has, the worker is killed and
    /// replaced, which takes some milliseconds. Returns `false` when the task was done already.
    pub fn cancel(&self) -> bool {
        self.canceller()()
    }

    /// Something to cancel it with while another thread waits for it.
    pub fn canceller(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let (shared, task) = (Arc::clone(&self.shared), self.task);
        move || shared.change(|state| state.cancel(task))
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
        let outcome = block_on(&mut self.outcome);
        self.finish(outcome)
    }

    /// Waits for the result for at most `limit`; the task itself after that.
    ///
    /// # Errors
    /// The task, when it takes longer; it goes on. Inside: any [`TaskError`].
    pub fn wait_timeout(mut self, limit: Duration) -> Result<Result<O, TaskError>, Self> {
        let deadline = Instant::now().checked_add(limit);
        match block_until(&mut self.outcome, deadline) {
            Some(outcome) => Ok(self.finish(outcome)),
            None => Err(self),
        }
    }

    fn finish(&mut self, outcome: Result<Outcome, Canceled>) -> Result<O, TaskError> {
        let outcome = outcome.expect("a task is not polled after its end");
        self.cancels = false;
        let shared = &self.shared;
        shared.settings.notify(Event::Received(self.id()));
        shared.decode(&outcome?)
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
    /// Makes the value; one that cannot be made is taken back from the ledger's `done`.
    pub(crate) fn decode<O: DeserializeOwned>(&self, answer: &Message) -> Result<O, TaskError> {
        answer.decode().inspect_err(|_| {
            if answer.is_value() {
                let ledger = &mut lock(&self.state).queue.ledger;
                ledger.done -= 1;
                ledger.failed += 1;
            }
        })
    }
}

pub(crate) fn not_encoded(payload: Payload, reason: String) -> TaskError {
    TaskError::Encode { payload, reason }
}
