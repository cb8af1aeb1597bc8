//! The handle of a submitted task.

use crate::{
    Event, Payload, TaskError,
    job::Outcome,
    shared::Shared,
    wait::{OneShot, block_until, lock},
    wire::{self, FAILURE, Failure, VALUE},
};
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
    outcome: Arc<OneShot<Outcome>>,
    canceller: Canceller,
    cancels: bool,
    output: PhantomData<fn() -> O>,
}

/// Cancels one task, from anywhere.
#[derive(Clone, Debug)]
pub struct Canceller {
    shared: Arc<Shared>,
    task: u64,
}

impl Canceller {
    /// Cancels the task; whether it will end as [`TaskError::Cancelled`].
    ///
    /// One that has not begun never will. Of one that has, the worker is killed and replaced, which
    /// takes some milliseconds. Returns `false` when the task was done already.
    pub fn cancel(&self) -> bool {
        self.shared
            .change(|state, effects| state.cancel(self.task, effects))
    }
}

impl<O> Task<O> {
    pub(crate) fn new(shared: Arc<Shared>, task: u64, outcome: Arc<OneShot<Outcome>>) -> Self {
        Self {
            outcome,
            canceller: Canceller { shared, task },
            cancels: false,
            output: PhantomData,
        }
    }

    /// Its number: tasks are counted from 0 in the order in which the pool took them.
    pub fn id(&self) -> u64 {
        self.canceller.task
    }

    /// Cancels it; see [`Canceller::cancel`].
    pub fn cancel(&self) -> bool {
        self.canceller.cancel()
    }

    /// Something to cancel it with while another thread waits for it.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// From now on, dropping this handle cancels the task.
    pub fn cancel_on_drop(mut self) -> Self {
        self.cancels = true;
        self
    }

    /// Whether it has ended, so that [`wait`](Self::wait) will not block.
    pub fn is_finished(&self) -> bool {
        self.outcome.has_arrived()
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
    pub fn wait(self) -> Result<O, TaskError> {
        let outcome = self.outcome.wait();
        self.finish(outcome)
    }

    /// Waits for the result for at most `limit`; the task itself after that.
    ///
    /// # Errors
    /// The task, when it takes longer; it goes on. Inside: any [`TaskError`].
    pub fn wait_timeout(self, limit: Duration) -> Result<Result<O, TaskError>, Self> {
        let deadline = Instant::now().checked_add(limit);
        match block_until(&*self.outcome, deadline) {
            Some(outcome) => Ok(self.finish(outcome)),
            None => Err(self),
        }
    }

    fn finish(&self, outcome: Option<Outcome>) -> Result<O, TaskError> {
        let outcome = outcome.expect("a task is not polled after its end");
        let shared = &self.canceller.shared;
        shared.settings.notify(Event::Received(self.id()));
        let output = outcome?;
        shared.decode(wire::take(&mut output.records()))
    }
}

impl<O: DeserializeOwned> Future for Task<O> {
    type Output = Result<O, TaskError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = ready!(Pin::new(&mut &*self.outcome).poll(context));
        Poll::Ready(self.finish(outcome))
    }
}

impl<O> Drop for Task<O> {
    fn drop(&mut self) {
        if self.cancels && !self.outcome.has_arrived() {
            self.cancel();
        }
    }
}

impl Shared {
    /// Makes the value; one that cannot be made is taken back from the ledger's `done`.
    pub(crate) fn decode<O: DeserializeOwned>(
        &self,
        record: Option<(u8, &[u8])>,
    ) -> Result<O, TaskError> {
        let is_value = record.is_some_and(|(tag, _)| tag == VALUE);
        decode(record).inspect_err(|_| {
            if is_value {
                let ledger = &mut lock(&self.state).ledger;
                ledger.done -= 1;
                ledger.failed += 1;
            }
        })
    }
}

pub(crate) fn decode<O: DeserializeOwned>(record: Option<(u8, &[u8])>) -> Result<O, TaskError> {
    let not_decoded = |error: postcard::Error| TaskError::Decode {
        payload: Payload::Output,
        reason: error.to_string(),
    };
    match record {
        Some((FAILURE, record)) => {
            let failure = postcard::from_bytes::<Failure>(record).map_err(not_decoded)?;
            Err(failure.into())
        }
        record => {
            let record = record.map_or(&[][..], |(_, record)| record);
            postcard::from_bytes(record).map_err(not_decoded)
        }
    }
}

pub(crate) fn not_encoded(reason: String) -> TaskError {
    TaskError::Encode {
        payload: Payload::Input,
        reason,
    }
}
