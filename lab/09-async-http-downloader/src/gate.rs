//! The semaphore, and a count of what its permits are used for.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Lets a limited number of requests through at once.
///
/// Its counts are exact where all tasks take turns on one thread.
#[derive(Debug)]
pub(crate) struct Gate {
    semaphore: Semaphore,
    limit: usize,
    queueing: AtomicUsize,
    held: AtomicUsize,
    attempting: AtomicUsize,
}

/// A permit; dropping it lets the next in the queue through.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    _held: CountedIn<'a>,
    _permit: SemaphorePermit<'a>,
}

impl Gate {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            semaphore: Semaphore::new(limit),
            limit,
            queueing: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            attempting: AtomicUsize::new(0),
        }
    }

    /// Waits for a permit, first come, first served.
    #[tracing::instrument(name = "permit", level = "info", skip_all, fields(wait = "permit"))]
    pub(crate) async fn permit(&self) -> Permit<'_> {
        let queueing = CountedIn::new(&self.queueing);
        tracing::info!(queue = "without permit", depth = self.queueing());
        let permit = self.semaphore.acquire().await;
        let permit = Permit {
            _held: CountedIn::new(&self.held),
            _permit: permit.expect("nobody closes this semaphore"),
        };
        drop(queueing);
        tracing::info!(queue = "without permit", depth = self.queueing());
        permit
    }

    /// Counts an attempt until the returned guard is dropped.
    pub(crate) fn attempt(&self) -> CountedIn<'_> {
        CountedIn::new(&self.attempting)
    }

    /// Permits that are held by a request which makes no attempt with it.
    pub(crate) fn idle_permits(&self) -> usize {
        self.held
            .load(SeqCst)
            .saturating_sub(self.attempting.load(SeqCst))
    }

    /// Requests that wait for a permit.
    pub(crate) fn queueing(&self) -> usize {
        // A permit on its way to a waiter is neither free nor held yet.
        let taken = self.limit - self.semaphore.available_permits();
        let on_their_way = taken.saturating_sub(self.held.load(SeqCst));
        self.queueing.load(SeqCst).saturating_sub(on_their_way)
    }
}

/// One more in a count, for as long as it lives.
#[derive(Debug)]
pub(crate) struct CountedIn<'a>(&'a AtomicUsize);

impl<'a> CountedIn<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for CountedIn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
