//! A place where one value arrives, and how a thread waits for a future.

use std::{
    mem,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct OneShot<T>(Mutex<Stage<T>>);

#[derive(Debug)]
enum Stage<T> {
    Awaited(Option<Waker>),
    Here(T),
    Taken,
}

impl<T> Default for OneShot<T> {
    fn default() -> Self {
        Self(Mutex::new(Stage::Awaited(None)))
    }
}

impl<T> OneShot<T> {
    /// Puts the value there; only the first one counts.
    pub(crate) fn put(&self, value: T) {
        let mut stage = lock(&self.0);
        let Stage::Awaited(waker) = &mut *stage else {
            return;
        };
        let waker = waker.take();
        *stage = Stage::Here(value);
        drop(stage);
        if let Some(waker) = waker {
            // A waker is the caller's code: no lock is held, and its panic is not ours.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    pub(crate) fn has_arrived(&self) -> bool {
        !matches!(*lock(&self.0), Stage::Awaited(_))
    }

    /// Waits for the value, blocking the thread; `None` when it was taken before.
    pub(crate) fn wait(&self) -> Option<T> {
        block_on(self)
    }
}

/// The value; nothing when it was taken before.
impl<T> Future for &OneShot<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Cloning and dropping a waker is the caller's code, too: not under the lock.
        let waker = context.waker().clone();
        let mut stage = lock(&self.0);
        let earlier = match &mut *stage {
            Stage::Awaited(earlier) => earlier.replace(waker),
            _ => match mem::replace(&mut *stage, Stage::Taken) {
                Stage::Here(value) => return Poll::Ready(Some(value)),
                _ => return Poll::Ready(None),
            },
        };
        drop(stage);
        drop(earlier);
        Poll::Pending
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future, blocking the thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let output = block_until(future, None);
    output.expect("it waits for as long as it takes")
}

/// Waits for a future, blocking the thread; nothing when `deadline` passes before.
pub(crate) fn block_until<F: Future>(future: F, deadline: Option<Instant>) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(left) if left.is_zero() => return None,
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}
