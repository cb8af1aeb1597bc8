//! One counter, or none: the same increments under each kind of lock.

use crate::on_threads;
use std::{
    cell::Cell,
    hint::black_box,
    num::NonZeroUsize,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tracing::info_span;

/// How many increments, all together, and how many threads share them out.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads.
    pub threads: NonZeroUsize,
    /// Increments of all threads together.
    pub increments: u64,
}

impl Plan {
    /// The increments of the thread of this number; shares differ by one at most.
    fn share(self, number: usize) -> u64 {
        let (threads, number) = (self.threads.get() as u64, number as u64);
        self.increments / threads + u64::from(number < self.increments % threads)
    }

    /// Runs `count` with its share on each thread; returns the sum of what they return.
    fn on_threads(self, count: impl Fn(u64) -> u64 + Sync) -> u64 {
        let counts = on_threads(self.threads, |number| {
            info_span!("add").in_scope(|| count(self.share(number)))
        });
        counts.into_iter().sum()
    }

    /// Runs `add` once for each increment, on all threads.
    fn each(self, add: impl Fn() + Sync) {
        self.on_threads(|share| {
            (0..share).for_each(|_| add());
            share
        });
    }
}

/// Makes all increments on the calling thread, without a lock.
pub fn count_sequential(plan: Plan) -> u64 {
    info_span!("add").in_scope(|| add_alone(plan.increments))
}

/// Shares nothing: each thread counts for itself, and the join adds up.
pub fn count_without_sharing(plan: Plan) -> u64 {
    plan.on_threads(add_alone)
}

/// Makes each increment in one atomic step.
pub fn count_with_fetch_add(plan: Plan) -> u64 {
    let counter = AtomicU64::new(0);
    // Relaxed: no other data hangs on the counter, so there is nothing to pair with; joining the
    // threads makes the total visible.
    plan.each(|| {
        counter.fetch_add(1, Relaxed);
    });
    counter.into_inner()
}

/// Takes the standard library's lock for each increment.
pub fn count_with_mutex(plan: Plan) -> u64 {
    let counter = Mutex::new(0);
    plan.each(|| *counter.lock().expect(NEVER_POISONED) += 1);
    counter.into_inner().expect(NEVER_POISONED)
}

/// Takes `parking_lot`'s lock for each increment.
pub fn count_with_parking_lot(plan: Plan) -> u64 {
    let counter = parking_lot::Mutex::new(0);
    plan.each(|| *counter.lock() += 1);
    counter.into_inner()
}

/// Takes a lock for each increment that its holder could take again: Python's `RLock`.
pub fn count_with_reentrant(plan: Plan) -> u64 {
    let counter = parking_lot::ReentrantMutex::new(Cell::new(0));
    // Each `lock` looks at who is calling: its owner gets in again and is counted.
    plan.each(|| counter.lock().update(|count| count + 1));
    counter.into_inner().into_inner()
}

/// Takes a readers-writer lock for writing for each increment.
pub fn count_with_rwlock(plan: Plan) -> u64 {
    let counter = RwLock::new(0);
    plan.each(|| *counter.write().expect(NEVER_POISONED) += 1);
    counter.into_inner().expect(NEVER_POISONED)
}

/// Adds up a shared 1, taking a readers-writer lock for reading each time.
pub fn count_by_reading(plan: Plan) -> u64 {
    let one = RwLock::new(1);
    // Readers do not exclude each other, but the lock counts them, and that count is shared.
    plan.on_threads(|share| (0..share).map(|_| *one.read().expect(NEVER_POISONED)).sum())
}

const NEVER_POISONED: &str = "adding one does not panic";

/// Adds one by one, hidden from the optimiser, which would make one addition of the whole loop.
fn add_alone(increments: u64) -> u64 {
    (0..increments).map(|_| black_box(1)).sum()
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
                let oracle = count_sequential(plan);
                assert_eq!(oracle, increments);
                for count in ways {
                    assert_eq!(count(plan), oracle);
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
