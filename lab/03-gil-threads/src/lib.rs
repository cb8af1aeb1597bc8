//! Two CPU-bound jobs: one after another, on two threads, and on two threads that share one GIL.

pub mod gil;
pub mod python;
#[cfg(test)]
mod watchdog;

use gil::{Gil, Held};
use measure::workload::count_down;
use serde::Serialize;
use std::{
    io, panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, ScopedJoinHandle},
};

/// Steps between two looks at whether the GIL is asked for: about a microsecond.
///
/// CPython looks at every jump back to the top of a loop; its steps are that much longer.
const STEPS_BETWEEN_CHECKS: u64 = 1_000;

/// Jobs done under a GIL.
#[derive(Clone, Debug, Serialize)]
pub struct UnderGil {
    /// The steps that each job counted.
    pub counted: Vec<u64>,
    /// How often the GIL went from one thread to another.
    pub hand_overs: u64,
}

/// Waits done under a GIL.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Waited {
    /// The most threads that were inside their wait at once.
    pub most_at_once: usize,
}

/// Counts every job down on the calling thread, one after another.
pub fn count_sequential(jobs: usize, work: u64) -> Vec<u64> {
    (0..jobs).map(|_| count_job(work)).collect()
}

/// Counts every job down on a thread of its own.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_threaded(jobs: usize, work: u64) -> io::Result<Vec<u64>> {
    on_threads(jobs, || count_job(work))
}

/// Counts every job down on a thread of its own, but only the holder of the GIL runs.
///
/// # Errors
/// The system refuses to start another thread.
pub fn count_threaded_under_gil(jobs: usize, work: u64, gil: &Gil) -> io::Result<UnderGil> {
    Ok(UnderGil {
        counted: on_threads(jobs, || count_job_under(gil, work))?,
        hand_overs: gil.hand_overs(),
    })
}

/// Does `io` on threads of their own, each holding on to the GIL meanwhile.
///
/// # Errors
/// The system refuses to start another thread.
pub fn wait_holding_gil(jobs: usize, gil: &Gil, io: impl Fn() + Sync) -> io::Result<Waited> {
    wait_under(jobs, gil, |_held, gauge| gauge.around(&io))
}

/// Does `io` on threads of their own, each without the GIL meanwhile.
///
/// # Errors
/// The system refuses to start another thread.
pub fn wait_releasing_gil(jobs: usize, gil: &Gil, io: impl Fn() + Sync) -> io::Result<Waited> {
    wait_under(jobs, gil, |held, gauge| held.without(|| gauge.around(&io)))
}

#[tracing::instrument(name = "job")]
fn count_job(work: u64) -> u64 {
    count_down(work)
}

#[tracing::instrument(name = "job", fields(wait = "lock"), skip(gil))]
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

fn wait_under(
    jobs: usize,
    gil: &Gil,
    wait: impl Fn(&mut Held<'_>, &Gauge) + Sync,
) -> io::Result<Waited> {
    let gauge = Gauge::default();
    on_threads(jobs, || wait(&mut gil.take(), &gauge))?;
    Ok(Waited {
        most_at_once: gauge.most.into_inner(),
    })
}

/// Counts who waits.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    fn around(&self, io: impl Fn()) {
        let now = 1 + self.now.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(now, Ordering::SeqCst);
        io();
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs `job` on `jobs` threads at once.
fn on_threads<T: Send>(jobs: usize, job: impl Fn() -> T + Sync) -> io::Result<Vec<T>> {
    thread::scope(|scope| {
        let started = (1..=jobs).map(|number| {
            let builder = thread::Builder::new().name(format!("thread {number}"));
            builder.spawn_scoped(scope, &job)
        });
        // All are started before the first is waited for.
        let started: Vec<_> = started.collect::<io::Result<_>>()?;
        let ended = started.into_iter().map(ScopedJoinHandle::join);
        Ok(ended
            .map(|result| result.unwrap_or_else(|cause| panic::resume_unwind(cause)))
            .collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watchdog::under_watchdog;
    use measure::workload::io_wait_blocking;
    use std::{sync::Barrier, time::Duration};

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
                let threaded = count_threaded(jobs, work).expect("threads start");
                assert_eq!(threaded, sequential, "{jobs} jobs of {work}");
                let gil = Gil::new(INTERVAL);
                let in_turns = count_threaded_under_gil(jobs, work, &gil).expect("threads start");
                assert_eq!(in_turns.counted, sequential, "{jobs} jobs of {work}");
            }
        }
    }

    #[test]
    fn every_job_has_its_turn_under_the_gil() {
        for jobs in 1..=8 {
            let gil = Gil::new(INTERVAL);
            let run = count_threaded_under_gil(jobs, 1_000, &gil).expect("threads start");
            assert!(run.hand_overs >= jobs as u64 - 1, "{jobs} jobs: {run:?}");
        }
    }

    #[test]
    fn a_gil_that_is_held_lets_one_wait_at_a_time() {
        let gil = Gil::new(INTERVAL);
        let waited = wait_holding_gil(4, &gil, || io_wait_blocking(Duration::from_millis(2)));
        assert_eq!(waited.expect("threads start").most_at_once, 1);
    }

    #[test]
    fn a_gil_that_is_let_go_lets_all_of_them_wait_at_once() {
        under_watchdog(|| {
            for jobs in [1, 2, 8] {
                let (gil, all) = (Gil::new(INTERVAL), Barrier::new(jobs));
                let waited = wait_releasing_gil(jobs, &gil, || {
                    all.wait();
                });
                assert_eq!(waited.expect("threads start").most_at_once, jobs);
            }
        });
    }
}
