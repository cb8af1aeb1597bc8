//! A place for one value, which a thread or a future waits for.

use std::{
    mem,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct OneShot<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    has_arrived: bool,
    waker: Option<Waker>,
}

impl<T> Default for OneShot<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                value: None,
                has_arrived: false,
                waker: None,
            }),
            arrived: Condvar::new(),
        }
    }
}

impl<T> OneShot<T> {
    /// Puts the value there; only the first one counts.
    pub(crate) fn put(&self, value: T) {
        let mut state = lock(&self.state);
        if mem::replace(&mut state.has_arrived, true) {
            return;
        }
        state.value = Some(value);
        let waker = state.waker.take();
        drop(state);
        self.arrived.notify_all();
        if let Some(waker) = waker {
            // A waker is the caller's code: no lock is held, and its panic is not ours.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Whether the value has come.
    pub(crate) fn has_arrived(&self) -> bool {
        lock(&self.state).has_arrived
    }

    /// Waits for the value; `None` when it was taken before.
    pub(crate) fn wait(&self) -> Option<T> {
        let state = lock(&self.state);
        let state = self.arrived.wait_while(state, |state| !state.has_arrived);
        state.unwrap_or_else(PoisonError::into_inner).value.take()
    }

    /// Waits for at most `limit`; whether the value has come.
    pub(crate) fn wait_timeout(&self, limit: Duration) -> bool {
        let deadline = Instant::now().checked_add(limit);
        let mut state = lock(&self.state);
        while !state.has_arrived {
            let left = deadline.map_or(limit, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                break;
            }
            let waited = self.arrived.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.has_arrived
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Option<T>> {
        // Cloning and dropping a waker is the caller's code, too: not under the lock.
        let waker = context.waker().clone();
        let mut state = lock(&self.state);
        if state.has_arrived {
            return Poll::Ready(state.value.take());
        }
        let earlier = state.waker.replace(waker);
        drop(state);
        drop(earlier);
        Poll::Pending
    }
}

/// Waits for a value without blocking the thread.
pub(crate) struct Arrival<'a, T>(pub(crate) &'a OneShot<T>);

impl<T> Future for Arrival<'_, T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context)
    }
}
