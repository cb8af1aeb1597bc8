//! The race for a counter on real threads, many times over.

use crate::{increment_in_one_step, increment_losing_updates, threads::together};
use measure::workload::mix;
use std::{
    hint::black_box,
    io,
    num::NonZeroUsize,
    sync::{Barrier, atomic::AtomicI64},
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

/// Makes all increments on the calling thread, in the two steps that lose updates on several.
#[tracing::instrument(name = "count", skip_all)]
pub fn count_sequential(race: Race) -> i64 {
    let counter = AtomicI64::new(0);
    // Hidden from the optimiser, which would fold a counter that nobody else sees into one addition.
    let shared = black_box(&counter);
    for _ in 0..race.expected() {
        increment_losing_updates(shared, || ());
    }
    counter.into_inner()
}

/// Counts once per trial with nothing between load and store; returns each trial's count.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_losing_updates_tight(race: Race, trials: usize) -> io::Result<Vec<i64>> {
    count_in_trials(race, trials, |counter, _| {
        increment_losing_updates(counter, || ());
    })
}

/// Counts once per trial with other work between load and store; returns each trial's count.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_losing_updates_widened(race: Race, trials: usize) -> io::Result<Vec<i64>> {
    count_in_trials(race, trials, |counter, step| {
        increment_losing_updates(counter, || linger(step));
    })
}

/// Counts once per trial in one step per increment; returns each trial's count.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_in_one_step(race: Race, trials: usize) -> io::Result<Vec<i64>> {
    count_in_trials(race, trials, |counter, _| increment_in_one_step(counter))
}

/// Holds the window open: work of about 0.1 µs and, now and then, leaving the CPU to others.
///
/// A yield at every step would cost a whole time slice each on a busy machine.
pub(crate) fn linger(step: u64) {
    if step.is_multiple_of(10_000) {
        thread::yield_now();
    }
    mix(step, 100);
}

/// Holds the window open until the others are awake that waited at the same barrier, and leaves the
/// CPU to them where there is but one.
pub(crate) fn dawdle() {
    mix(7, 20_000);
    thread::yield_now();
}

fn count_in_trials(
    race: Race,
    trials: usize,
    increment: impl Fn(&AtomicI64, u64) + Sync,
) -> io::Result<Vec<i64>> {
    let counters: Vec<AtomicI64> = (0..trials).map(|_| AtomicI64::new(0)).collect();
    together(race.threads, |_, barrier| {
        for counter in &counters {
            race_once(race.increments, barrier, |step| increment(counter, step));
        }
    })?;
    Ok(counters.into_iter().map(AtomicI64::into_inner).collect())
}

/// One thread's part in one trial; it sets off when all threads are there.
#[tracing::instrument(name = "trial", skip_all, fields(wait = "barrier"))]
fn race_once(increments: u64, barrier: &Barrier, increment: impl Fn(u64)) {
    barrier.wait();
    for step in 0..increments {
        increment(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Counting = fn(Race, usize) -> io::Result<Vec<i64>>;
    const COUNTING: [Counting; 3] = [
        count_losing_updates_tight,
        count_losing_updates_widened,
        count_in_one_step,
    ];

    fn race(threads: usize, increments: u64) -> Race {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Race {
            threads,
            increments,
        }
    }

    #[test]
    fn one_thread_alone_loses_nothing_whichever_way_it_counts() {
        for increments in [0, 1, 2, 1_000] {
            let race = race(1, increments);
            assert_eq!(count_sequential(race), increments as i64);
            for count in COUNTING {
                let counts = count(race, 3).expect("a thread starts");
                assert_eq!(counts, [increments as i64; 3]);
            }
        }
    }

    #[test]
    fn the_repair_loses_nothing_on_any_number_of_threads() {
        for threads in 1..=8 {
            let race = race(threads, 20_000);
            let counts = count_in_one_step(race, 3).expect("threads start");
            assert_eq!(counts, [race.expected() as i64; 3]);
            assert_eq!(count_sequential(race), race.expected() as i64);
        }
    }

    #[test]
    fn no_trial_counts_more_than_all_or_less_than_a_race_can_leave() {
        for threads in 2..=8 {
            for increments in [0, 1, 2, 500] {
                let race = race(threads, increments);
                for count in COUNTING {
                    let counts = count(race, 5).expect("threads start");
                    let possible = increments.min(2) as i64..=race.expected() as i64;
                    assert_eq!(counts.len(), 5);
                    assert!(
                        counts.iter().all(|got| possible.contains(got)),
                        "{counts:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn where_all_meet_in_every_window_one_threads_updates_remain() {
        let meeting = Barrier::new(3);
        let counts = count_in_trials(race(3, 20), 4, |counter, _| {
            increment_losing_updates(counter, || {
                meeting.wait();
            });
            // Nobody loads again before all have stored.
            meeting.wait();
        });
        assert_eq!(counts.expect("threads start"), [20; 4]);
    }
}
