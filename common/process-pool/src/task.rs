//! The handle of a submitted task.

use super::{Payload, TaskError, reply::Outcome, shared::Shared};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// A task in the pool; wait for it with [`wait`](Self::wait) or `.await`.
///
/// Dropping it forgets the result; the task itself runs on.
///
/// # Cancel safety
/// A `Task` that was polled and not finished can be polled again, waited for, or dropped.
#[must_use = "the result comes through this handle"]
pub struct Task<O> {
    receiver: Receiver,
    canceller: Canceller,
    output: PhantomData<fn() -> O>,
}

#[derive(Debug)]
enum Receiver {
    Blocking(oneshot::Receiver<Outcome>),
    Polled(oneshot::AsyncReceiver<Outcome>),
    /// For a moment, between the two.
    Neither,
}

/// Cancels one task, from anywhere.
#[derive(Clone)]
pub struct Canceller {
    shared: Arc<Shared>,
    task: u64,
}

impl Canceller {
    /// Cancels the task; whether it will end as [`TaskError::Cancelled`].
    ///
    /// Takes a waiting task out of the queue. Of a running one it kills the worker, which takes
    /// about a millisecond and a new worker. Returns `false` when the task was done already.
    pub fn cancel(&self) -> bool {
        self.shared.cancel(self.task)
    }

    fn note_received(&self) {
        self.shared.note_received(self.task..self.task + 1);
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl<O> Task<O> {
    pub(super) fn new(shared: Arc<Shared>, task: u64, rx: oneshot::Receiver<Outcome>) -> Self {
        Self {
            receiver: Receiver::Blocking(rx),
            canceller: Canceller { shared, task },
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
}

impl<O: DeserializeOwned> Task<O> {
    /// Waits for the result, blocking the thread.
    ///
    /// # Errors
    /// Any [`TaskError`].
    pub fn wait(self) -> Result<O, TaskError> {
        let received = match self.receiver {
            Receiver::Blocking(rx) => rx.recv(),
            Receiver::Polled(rx) => block_on(rx),
            Receiver::Neither => Err(oneshot::RecvError),
        };
        self.canceller.note_received();
        let record = received.unwrap_or_else(|_| Err(unanswered()))?;
        decode(&self.canceller.shared, &record)
    }
}

impl<O: DeserializeOwned> Future for Task<O> {
    type Output = Result<O, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut rx = match std::mem::replace(&mut self.receiver, Receiver::Neither) {
            Receiver::Blocking(rx) => rx.into_future(),
            Receiver::Polled(rx) => rx,
            Receiver::Neither => panic!("a task was polled after its end"),
        };
        let Poll::Ready(received) = Pin::new(&mut rx).poll(context) else {
            self.receiver = Receiver::Polled(rx);
            return Poll::Pending;
        };
        self.canceller.note_received();
        let outcome = received.unwrap_or_else(|_| Err(unanswered()));
        Poll::Ready(outcome.and_then(|record| decode(&self.canceller.shared, &record)))
    }
}

impl<O> fmt::Debug for Task<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// Makes the value; one that cannot be made is taken back from the ledger's `done`.
pub(super) fn decode<O: DeserializeOwned>(shared: &Shared, record: &[u8]) -> Result<O, TaskError> {
    postcard::from_bytes(record).map_err(|error| {
        shared.recount_as_failed();
        TaskError::Decode {
            payload: Payload::Output,
            reason: error.to_string(),
        }
    })
}

/// Only a manager that panicked leaves a task without an answer.
pub(super) fn unanswered() -> TaskError {
    TaskError::PoolBroken {
        reason: "the task was lost by its manager".into(),
    }
}

/// Wakes a thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
