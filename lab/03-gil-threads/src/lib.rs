//! Two CPU-bound jobs: one after another, on two threads, and on two threads that share one GIL.

pub mod gil;
#[cfg(test)]
mod watchdog;

use gil::{Gil, Held};
use measure::workload::count_down;
use std::{
    panic,
    thread::{self, ScopedJoinHandle},
};

/// Steps between two looks at whether the GIL is asked for: about a microsecond.
///
/// CPython looks at every jump back to the top of a loop; its steps are that much longer.
const STEPS_BETWEEN_CHECKS: u64 = 1_000;

/// Counts every job down on the calling thread, one after another.
pub fn count_sequential(jobs: usize, work: u64) -> Vec<u64> {
    (0..jobs).map(|_| count_job(work)).collect()
}

/// Counts every job down on a thread of its own.
pub fn count_threaded(jobs: usize, work: u64) -> Vec<u64> {
    on_threads(jobs, || count_job(work))
}

/// Counts every job down on a thread of its own, but only the holder of the GIL runs.
pub fn count_threaded_under_gil(jobs: usize, work: u64, gil: &Gil) -> Vec<u64> {
    on_threads(jobs, || count_job_under(gil, work))
}

/// Waits on threads of their own, each holding on to the GIL meanwhile.
pub fn wait_holding_gil(jobs: usize, gil: &Gil, io: impl Fn() + Sync) {
    on_threads(jobs, || {
        let _held = gil.take();
        wait(&io);
    });
}

/// Waits on threads of their own, each without the GIL meanwhile.
pub fn wait_releasing_gil(jobs: usize, gil: &Gil, io: impl Fn() + Sync) {
    on_threads(jobs, || gil.take().without(|| wait(&io)));
}

#[tracing::instrument(name = "job")]
fn count_job(work: u64) -> u64 {
    count_down(work)
}

#[tracing::instrument(name = "job", skip(gil))]
fn count_job_under(gil: &Gil, work: u64) -> u64 {
    let mut held = gil.take();
    let mut counted = count_until_asked(&held, work);
    while counted < work {
        held.hand_over_if_asked();
        counted += count_until_asked(&held, work - counted);
    }
    counted
}

/// One turn: runs until the job is done or somebody asks for the GIL.
#[tracing::instrument(name = "turn", skip_all)]
fn count_until_asked(held: &Held<'_>, left: u64) -> u64 {
    let mut counted = 0;
    while counted < left && !held.is_asked_for() {
        counted += count_down(STEPS_BETWEEN_CHECKS.min(left - counted));
    }
    counted
}

#[tracing::instrument(name = "wait", fields(wait = "sleep"), skip_all)]
fn wait(io: impl Fn()) {
    io();
}

/// Runs `job` on `jobs` threads at once.
fn on_threads<T: Send>(jobs: usize, job: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let start = |number| {
            let builder = thread::Builder::new().name(format!("thread {number}"));
            let thread = builder.spawn_scoped(scope, &job);
            thread.expect("the system starts a thread")
        };
        // All are started before the first is waited for.
        let started: Vec<_> = (1..=jobs).map(start).collect();
        let ended = started.into_iter().map(ScopedJoinHandle::join);
        ended
            .map(|result| result.unwrap_or_else(|cause| panic::resume_unwind(cause)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchdog::under_watchdog;
    use measure::workload::io_wait_blocking;
    use std::{
        sync::{Barrier, Mutex},
        time::Duration,
    };

    const INTERVAL: Duration = Duration::from_micros(50);

    #[test]
    fn every_way_counts_what_one_thread_counts() {
        for work in [
            0,
            1,
            7,
            STEPS_BETWEEN_CHECKS,
            STEPS_BETWEEN_CHECKS + 1,
            300_000,
        ] {
            for jobs in 0..=8 {
                let sequential = count_sequential(jobs, work);
                assert_eq!(sequential, vec![work; jobs]);
                let threaded = count_threaded(jobs, work);
                assert_eq!(threaded, sequential, "{jobs} jobs of {work}");
                let gil = Gil::new(INTERVAL);
                let in_turns = count_threaded_under_gil(jobs, work, &gil);
                assert_eq!(in_turns, sequential, "{jobs} jobs of {work}");
            }
        }
    }

    #[test]
    fn every_job_has_its_turn_under_the_gil() {
        for jobs in 1..=8 {
            let gil = Gil::new(INTERVAL);
            count_threaded_under_gil(jobs, 1_000, &gil);
            assert!(gil.hand_overs() >= jobs as u64 - 1, "{jobs} jobs: {gil:?}");
        }
    }

    #[test]
    fn a_gil_that_is_held_lets_one_wait_at_a_time() {
        let (gil, waiting) = (Gil::new(INTERVAL), Mutex::new(()));
        wait_holding_gil(4, &gil, || {
            let _alone = waiting.try_lock().expect("only the holder waits");
            io_wait_blocking(Duration::from_millis(2));
        });
    }

    #[test]
    fn a_gil_that_is_released_lets_all_of_them_wait_at_once() {
        under_watchdog(|| {
            for jobs in [1, 2, 8] {
                let (gil, all) = (Gil::new(INTERVAL), Barrier::new(jobs));
                wait_releasing_gil(jobs, &gil, || {
                    all.wait();
                });
            }
        });
    }
}
