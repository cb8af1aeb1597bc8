//! Locks: what they cost here; then readers, reentrancy, deadlock and poison, a file each.

pub mod deadlock;
pub mod nested;
pub mod poison;
pub mod read;

use std::{
    cell::Cell,
    hint::black_box,
    num::NonZeroUsize,
    sync::{Barrier, Mutex},
    thread,
};

/// How many threads count, and how many increments they make together.
pub type Plan = (NonZeroUsize, u64);

/// Shares nothing: each thread has a count of its own, and the join adds up.
pub fn count_without_sharing(plan: Plan) -> u64 {
    // Hidden from the optimiser, which would make one addition of the whole loop.
    each(plan, |own| *own += black_box(1))
}

/// Takes the standard library's lock for each increment.
pub fn count_with_mutex(plan: Plan) -> u64 {
    let counter = Mutex::new(0);
    each(plan, |_| *counter.lock().unwrap() += 1);
    counter.into_inner().unwrap()
}

/// Takes a lock for each increment that its holder could take again: Python's `RLock`.
pub fn count_with_reentrant(plan: Plan) -> u64 {
    let counter = parking_lot::ReentrantMutex::new(Cell::new(0));
    // Each `lock` looks at who is calling: its owner gets in again and is counted.
    each(plan, |_| counter.lock().update(|count| count + 1));
    counter.into_inner().into_inner()
}

/// Runs `add` once for each increment, on all threads; returns the sum of the threads' own counts.
fn each((threads, all): Plan, add: impl Fn(&mut u64) + Sync) -> u64 {
    // The shares differ by one at most, and together are all.
    let share = |number| (all + number as u64) / threads.get() as u64;
    let counts = on_threads(threads, |number| {
        let mut own = 0;
        (0..share(number)).for_each(|_| add(&mut own));
        own
    });
    counts.into_iter().sum()
}

/// Runs `work` on threads that begin together, each with its number from 0; returns what each made.
fn on_threads<T: Send>(threads: NonZeroUsize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (work, start) = (&work, &Barrier::new(threads.get()));
    thread::scope(|scope| {
        let begin = |number| {
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let begun: Vec<_> = (0..threads.get()).map(begin).collect();
        begun
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_counts_every_increment() {
        let ways = [
            count_without_sharing,
            count_with_mutex,
            count_with_reentrant,
        ];
        for threads in (1..=8).filter_map(NonZeroUsize::new) {
            for increments in [0, 1, 7, 50_000] {
                for count in ways {
                    assert_eq!(count((threads, increments)), increments);
                }
            }
        }
    }
}
