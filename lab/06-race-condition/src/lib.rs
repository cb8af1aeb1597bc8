//! Expected against got: an increment made in two steps loses what others add in between.
//!
//! Safe Rust has no data races: a plain counter that two threads add to does not compile.
//!
//! ```compile_fail,E0499
//! let mut counter = 0;
//! std::thread::scope(|scope| {
//!     let one = scope.spawn(|| counter += 1);
//!     let two = scope.spawn(|| counter += 1);
//! });
//! ```
//!
//! A race *condition* remains possible: each access below is atomic, the increment is not.

use measure::workload::mix;
use std::{
    hint::black_box,
    num::NonZeroUsize,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// How many threads race, and how often each of them adds one.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Threads on one counter.
    pub threads: NonZeroUsize,
    /// Increments that each thread makes.
    pub increments: u64,
}

impl Race {
    /// The count that all increments together should give.
    pub fn expected(self) -> u64 {
        self.threads.get() as u64 * self.increments
    }
}

/// `counter += 1` in two steps, with `between` in the middle.
pub fn increment_in_two_steps(counter: &AtomicU64, between: impl FnOnce()) {
    // Relaxed, here and below: no other data hangs on the counter, so there is nothing to pair
    // with; joining the threads makes the total visible. A stronger ordering would lose as much: it puts
    // operations in order, it does not make two of them one.
    let seen = counter.load(Relaxed);
    between(); // Here other threads can get in.
    // BUG (on purpose): whatever was stored since the load is overwritten.
    counter.store(seen + 1, Relaxed);
}

/// Makes `increments` on the calling thread, with the same two steps.
#[tracing::instrument(name = "count", skip_all)]
pub fn count_sequential(increments: u64) -> u64 {
    let counter = AtomicU64::new(0);
    // Hidden from the optimiser, which would fold a counter that nobody else sees into one addition.
    let shared = black_box(&counter);
    for _ in 0..increments {
        increment_in_two_steps(shared, || ());
    }
    counter.into_inner()
}

/// Loses all updates but one, always: every thread loads before any thread stores.
///
/// Each thread adds one. Returns the count.
pub fn count_losing_updates_by_force(threads: NonZeroUsize) -> u64 {
    let counter = AtomicU64::new(0);
    on_threads(threads, |barrier| increment_around(barrier, &counter));
    counter.into_inner()
}

#[tracing::instrument(name = "increment", skip_all, fields(wait = "barrier"))]
fn increment_around(barrier: &Barrier, counter: &AtomicU64) {
    increment_in_two_steps(counter, || {
        barrier.wait();
    });
}

/// Counts once per trial with other work between load and store; returns each trial's count.
pub fn count_losing_updates_widened(race: Race, trials: usize) -> Vec<u64> {
    count_in_trials(race, trials, linger)
}

/// Counts once per trial with nothing between load and store; returns each trial's count.
pub fn count_losing_updates_tight(race: Race, trials: usize) -> Vec<u64> {
    count_in_trials(race, trials, |_| ())
}

/// Holds the window open: work of about 0.1 µs and, now and then, leaving the CPU to others.
///
/// A yield at every step would cost a whole time slice each on a busy machine.
fn linger(step: u64) {
    if step.is_multiple_of(10_000) {
        thread::yield_now();
    }
    mix(step, 100);
}

fn count_in_trials(race: Race, trials: usize, between: impl Fn(u64) + Sync) -> Vec<u64> {
    let counters: Vec<AtomicU64> = (0..trials).map(|_| AtomicU64::new(0)).collect();
    on_threads(race.threads, |barrier| {
        for counter in &counters {
            add(race.increments, counter, barrier, &between);
        }
    });
    counters.into_iter().map(AtomicU64::into_inner).collect()
}

/// One thread's part in one trial; it begins when all threads are there.
#[tracing::instrument(name = "trial", skip_all, fields(wait = "barrier"))]
fn add(increments: u64, counter: &AtomicU64, barrier: &Barrier, between: &impl Fn(u64)) {
    barrier.wait();
    for step in 0..increments {
        increment_in_two_steps(counter, || between(step));
    }
}

/// Runs `work` on every thread; the barrier has a place for each of them.
fn on_threads(threads: NonZeroUsize, work: impl Fn(&Barrier) + Sync) {
    let barrier = Barrier::new(threads.get());
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| work(&barrier));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("the tests count from one")
    }

    #[test]
    fn an_update_between_load_and_store_is_lost() {
        let counter = AtomicU64::new(3);
        increment_in_two_steps(&counter, || counter.store(100, Relaxed));
        assert_eq!(counter.into_inner(), 4);
    }

    #[test]
    fn one_thread_alone_loses_nothing() {
        for increments in [0, 1, 2, 1_000] {
            assert_eq!(count_sequential(increments), increments);
            let race = Race {
                threads: threads(1),
                increments,
            };
            for count in [count_losing_updates_widened, count_losing_updates_tight] {
                let counts = count(race, 3);
                assert_eq!(counts, [increments; 3]);
            }
        }
    }

    #[test]
    fn by_force_all_updates_but_one_are_lost_every_time() {
        for count in [1, 2, 3, 8] {
            for _ in 0..20 {
                let got = count_losing_updates_by_force(threads(count));
                assert_eq!(got, 1);
            }
        }
    }

    #[test]
    fn no_trial_counts_more_than_all_or_less_than_a_race_can_leave() {
        for count in 2..=8 {
            for increments in [0, 1, 2, 500] {
                let race = Race {
                    threads: threads(count),
                    increments,
                };
                for losing in [count_losing_updates_widened, count_losing_updates_tight] {
                    let counts = losing(race, 5);
                    assert_eq!(counts.len(), 5);
                    // The least: the last store of all rests on a load right after somebody's first.
                    let possible = increments.min(2)..=race.expected();
                    assert!(
                        counts.iter().all(|got| possible.contains(got)),
                        "{counts:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_step_of_every_thread_passes_through_the_window() {
        let passed = AtomicU64::new(0);
        let race = Race {
            threads: threads(3),
            increments: 40,
        };
        let between = |_| {
            passed.fetch_add(1, Relaxed);
        };
        let counts = count_in_trials(race, 2, between);
        assert_eq!(counts.len(), 2);
        assert_eq!(passed.into_inner(), 2 * race.expected());
    }

    #[test]
    fn where_the_threads_meet_in_every_window_exactly_one_threads_updates_remain() {
        let meeting = Barrier::new(2);
        let race = Race {
            threads: threads(2),
            increments: 50,
        };
        let counts = count_in_trials(race, 4, |_| {
            meeting.wait();
        });
        assert_eq!(counts, [50; 4]);
    }
}
