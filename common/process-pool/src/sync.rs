//! Waiting, for threads and futures alike.

use futures_channel::oneshot::{self, Sender};
use std::{
    collections::VecDeque,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends what may be awaited. A waker is the caller's code: no lock is held, and its panic is not ours.
pub(crate) fn send<T>(sender: Sender<T>, value: T) {
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(sender.send(value))));
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

/// So many may be somewhere at once; places are given out in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Room(Mutex<Places>);

#[derive(Debug)]
struct Places {
    limit: usize,
    taken: usize,
    /// Who waits for a place; those that gave up are gone.
    line: VecDeque<Sender<Permit>>,
}

/// A place, given back when it is dropped. That may wake a waiter, which is the caller's code.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Room>);

impl Room {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let (taken, line) = (0, VecDeque::new());
        Arc::new(Self(Mutex::new(Places { limit, taken, line })))
    }

    /// Takes a place, if there is one: then nothing waits for it.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Permit> {
        let mut places = lock(&self.0);
        let is_free = places.taken < places.limit;
        places.taken += usize::from(is_free);
        is_free.then(|| Permit(Arc::clone(self)))
    }

    /// Waits for a place; dropped before that, it leaves the line.
    pub(crate) async fn take(self: &Arc<Self>) -> Permit {
        if let Some(permit) = self.try_take() {
            return permit;
        }
        let (sender, granted) = oneshot::channel();
        self.change(|places| {
            if places.line.len() == places.line.capacity() {
                places.line.retain(|waiting| !waiting.is_canceled());
            }
            places.line.push_back(sender);
        });
        granted.await.expect("who waits gets a place")
    }

    /// Lets in so many.
    pub(crate) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.change(|places| places.limit = limit);
    }

    /// Lets in all that come.
    pub(crate) fn open(self: &Arc<Self>) {
        self.set_limit(usize::MAX);
    }

    /// Lets in who waits, as far as there is room now.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut Places)) {
        let mut places = lock(&self.0);
        change(&mut places);
        let mut granted = Vec::new();
        while places.taken < places.limit
            && let Some(next) = places.line.pop_front()
        {
            // One that gives up from now on gives its place back.
            if !next.is_canceled() {
                places.taken += 1;
                granted.push(next);
            }
        }
        drop(places);
        for next in granted {
            send(next, Permit(Arc::clone(self)));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.change(|places| places.taken -= 1);
    }
}
