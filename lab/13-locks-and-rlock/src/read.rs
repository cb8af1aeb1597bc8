//! Readers that stay long: one at a time under a `Mutex`, side by side under an `RwLock`.

use crate::on_threads;
use measure::workload::io_wait_blocking;
use serde::Serialize;
use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Mutex, MutexGuard, RwLock, RwLockReadGuard,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// What the readers saw, and how many of them were inside at once.
#[derive(Debug, Serialize)]
pub struct Reads {
    /// The value that each reader read.
    pub seen: Vec<u64>,
    /// The most readers that held the lock at once.
    pub peak_inside: usize,
}

/// Lets every reader hold a `Mutex` for `stay` while it reads.
///
/// # Errors
/// The system refuses to start another thread.
pub fn read_under_mutex(readers: NonZeroUsize, value: u64, stay: Duration) -> io::Result<Reads> {
    let (shared, inside) = (Mutex::new(value), Inside::default());
    let seen = on_threads(readers, |_| {
        let held = lock(&shared);
        inside.read_slowly(*held, stay)
    })?;
    Ok(inside.reads(seen))
}

/// Lets every reader hold an `RwLock` for reading for `stay` while it reads.
///
/// # Errors
/// The system refuses to start another thread.
pub fn read_under_rwlock(readers: NonZeroUsize, value: u64, stay: Duration) -> io::Result<Reads> {
    let (shared, inside) = (RwLock::new(value), Inside::default());
    let seen = on_threads(readers, |_| {
        let held = lock_for_reading(&shared);
        inside.read_slowly(*held, stay)
    })?;
    Ok(inside.reads(seen))
}

#[tracing::instrument(name = "lock", skip_all, fields(wait = "lock"))]
fn lock(shared: &Mutex<u64>) -> MutexGuard<'_, u64> {
    shared.lock().expect("reading does not panic")
}

#[tracing::instrument(name = "lock", skip_all, fields(wait = "lock"))]
fn lock_for_reading(shared: &RwLock<u64>) -> RwLockReadGuard<'_, u64> {
    shared.read().expect("reading does not panic")
}

/// Counts who holds the lock.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Inside {
    /// Reads, and stays for a while, as over a large table or a slow disk.
    fn read_slowly(&self, value: u64, stay: Duration) -> u64 {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(now, SeqCst);
        io_wait_blocking(stay);
        self.now.fetch_sub(1, SeqCst);
        value
    }

    fn reads(self, seen: Vec<u64>) -> Reads {
        Reads {
            seen,
            peak_inside: self.peak.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn under_a_mutex_readers_are_never_inside_together() {
        for readers in 1..=8 {
            let readers = NonZeroUsize::new(readers).expect("counted from one");
            let reads = read_under_mutex(readers, 7, Duration::from_micros(100));
            let reads = reads.expect("threads start");
            assert_eq!(reads.peak_inside, 1);
            assert_eq!(reads.seen, vec![7; readers.get()]);
        }
    }

    #[test]
    fn under_an_rwlock_all_readers_can_be_inside_at_once() {
        // Each reader waits inside for all others: with any other lock this would hang.
        let (shared, meeting) = (RwLock::new(7), Barrier::new(4));
        let inside = Inside::default();
        let seen = on_threads(NonZeroUsize::new(4).expect("not zero"), |_| {
            let held = lock_for_reading(&shared);
            let now = inside.now.fetch_add(1, SeqCst) + 1;
            inside.peak.fetch_max(now, SeqCst);
            meeting.wait();
            *held
        });
        let reads = inside.reads(seen.expect("threads start"));
        assert_eq!(reads.peak_inside, 4);
        assert_eq!(reads.seen, [7; 4]);
        let reads = read_under_rwlock(NonZeroUsize::MIN, 7, Duration::ZERO);
        assert_eq!(reads.expect("threads start").seen, [7]);
    }
}
