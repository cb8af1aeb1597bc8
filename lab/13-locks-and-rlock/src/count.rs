//! One counter, or none: the same increments under each kind of lock.

use crate::on_threads;
use std::{
    cell::Cell,
    hint::black_box,
    io,
    num::NonZeroUsize,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// How many increments, all together, and how many threads share them out.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads.
    pub threads: NonZeroUsize,
    /// Increments of all threads together.
    pub increments: u64,
}

impl Plan {
    /// How many increments the thread of this number makes; shares differ by one at most.
    fn share(self, number: usize) -> u64 {
        let (threads, number) = (self.threads.get() as u64, number as u64);
        self.increments / threads + u64::from(number < self.increments % threads)
    }
}

/// Makes all increments on the calling thread, without a lock.
pub fn count_sequential(plan: Plan) -> io::Result<u64> {
    Ok(add_alone(plan.increments))
}

/// Takes the standard library's lock for each increment.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_with_mutex(plan: Plan) -> io::Result<u64> {
    let counter = Mutex::new(0);
    on_threads(plan.threads, |number| {
        add_with_mutex(&counter, plan.share(number));
    })?;
    Ok(counter.into_inner().expect(NEVER_POISONED))
}

/// Takes `parking_lot`'s lock for each increment.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_with_parking_lot(plan: Plan) -> io::Result<u64> {
    let counter = parking_lot::Mutex::new(0);
    on_threads(plan.threads, |number| {
        add_with_parking_lot(&counter, plan.share(number));
    })?;
    Ok(counter.into_inner())
}

/// Takes a lock for each increment that its holder could take again: Python's `RLock`.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_with_reentrant(plan: Plan) -> io::Result<u64> {
    let counter = parking_lot::ReentrantMutex::new(Cell::new(0));
    on_threads(plan.threads, |number| {
        add_with_reentrant(&counter, plan.share(number));
    })?;
    Ok(counter.into_inner().into_inner())
}

/// Takes a readers-writer lock for writing for each increment.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_with_rwlock(plan: Plan) -> io::Result<u64> {
    let counter = RwLock::new(0);
    on_threads(plan.threads, |number| {
        add_with_rwlock(&counter, plan.share(number));
    })?;
    Ok(counter.into_inner().expect(NEVER_POISONED))
}

/// Adds up a shared 1, taking a readers-writer lock for reading each time.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_by_reading(plan: Plan) -> io::Result<u64> {
    let one = RwLock::new(1);
    let shares = on_threads(plan.threads, |number| {
        add_by_reading(&one, plan.share(number))
    })?;
    Ok(shares.into_iter().sum())
}

/// Makes each increment in one atomic step.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_with_fetch_add(plan: Plan) -> io::Result<u64> {
    let counter = AtomicU64::new(0);
    on_threads(plan.threads, |number| {
        add_in_one_step(&counter, plan.share(number));
    })?;
    Ok(counter.into_inner())
}

/// Shares nothing: each thread counts for itself, and the join adds up.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_without_sharing(plan: Plan) -> io::Result<u64> {
    let shares = on_threads(plan.threads, |number| add_alone(plan.share(number)))?;
    Ok(shares.into_iter().sum())
}

const NEVER_POISONED: &str = "adding one does not panic";

#[tracing::instrument(name = "add", skip_all, fields(wait = "lock"))]
fn add_with_mutex(counter: &Mutex<u64>, increments: u64) {
    for _ in 0..increments {
        *counter.lock().expect(NEVER_POISONED) += 1;
    }
}

#[tracing::instrument(name = "add", skip_all, fields(wait = "lock"))]
fn add_with_parking_lot(counter: &parking_lot::Mutex<u64>, increments: u64) {
    for _ in 0..increments {
        *counter.lock() += 1;
    }
}

#[tracing::instrument(name = "add", skip_all, fields(wait = "lock"))]
fn add_with_reentrant(counter: &parking_lot::ReentrantMutex<Cell<u64>>, increments: u64) {
    for _ in 0..increments {
        // Each `lock` asks who is calling: its owner gets in again and is counted.
        counter.lock().update(|count| count + 1);
    }
}

#[tracing::instrument(name = "add", skip_all, fields(wait = "lock"))]
fn add_with_rwlock(counter: &RwLock<u64>, increments: u64) {
    for _ in 0..increments {
        *counter.write().expect(NEVER_POISONED) += 1;
    }
}

#[tracing::instrument(name = "read", skip_all, fields(wait = "lock"))]
fn add_by_reading(one: &RwLock<u64>, reads: u64) -> u64 {
    let mut count = 0;
    for _ in 0..reads {
        // Readers do not exclude each other, but the lock counts them, and that count is shared.
        count += *one.read().expect(NEVER_POISONED);
    }
    count
}

#[tracing::instrument(name = "add", skip_all)]
fn add_in_one_step(counter: &AtomicU64, increments: u64) {
    for _ in 0..increments {
        // Relaxed: no other data hangs on the counter, so there is nothing to pair with; joining
        // the threads makes the total visible.
        counter.fetch_add(1, Relaxed);
    }
}

#[tracing::instrument(name = "add", skip_all)]
fn add_alone(increments: u64) -> u64 {
    let mut count = 0;
    for _ in 0..increments {
        // Hidden from the optimiser, which would make one addition of the whole loop.
        count += black_box(1);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_counts_what_one_thread_counts() {
        let ways = [
            count_with_mutex,
            count_with_parking_lot,
            count_with_reentrant,
            count_with_rwlock,
            count_by_reading,
            count_with_fetch_add,
            count_without_sharing,
        ];
        for threads in 1..=8 {
            let threads = NonZeroUsize::new(threads).expect("counted from one");
            for increments in [0, 1, 7, 50_000] {
                let plan = Plan {
                    threads,
                    increments,
                };
                let oracle = count_sequential(plan).expect("nothing to refuse");
                assert_eq!(oracle, increments);
                for count in ways {
                    assert_eq!(count(plan).expect("threads start"), oracle);
                }
            }
        }
    }

    #[test]
    fn shares_are_even_and_add_up() {
        let plan = Plan {
            threads: NonZeroUsize::new(4).expect("not zero"),
            increments: 10,
        };
        let shares: Vec<u64> = (0..4).map(|number| plan.share(number)).collect();
        assert_eq!(shares, [3, 3, 2, 2]);
    }
}
