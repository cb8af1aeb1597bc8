//! Jobs that work or wait: one by one, on a pool of threads, in a pool of processes.

pub mod isolation;

use measure::workload;
use process_pool::{ProcessPool, TaskError, Worker, child};
use serde::{Deserialize, Serialize};
use std::{
    num::NonZeroUsize,
    panic, process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// What a worker process does: one job after another.
pub const JOB: Worker<Job, Done> = Worker::new("job", Job::run);

/// Worker processes that do jobs.
pub type JobPool = ProcessPool<Job, Done>;

/// Something to do; the same for a thread and for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Keep a CPU busy for this many steps.
    Work {
        /// Where the steps begin.
        seed: u64,
        /// How many.
        steps: u64,
    },
    /// Wait, as for a disk or a network.
    Wait {
        /// Which of the waits it is.
        number: u64,
        /// How long.
        duration: Duration,
    },
    /// Do half of the steps and abort: no panic that could be caught, the end of the process.
    AbortHalfWay {
        /// Where the steps begin.
        seed: u64,
        /// How many a whole job would have.
        steps: u64,
    },
}

/// What a job brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What came of the steps, or the number of the wait.
    pub value: u64,
    /// The process that did it.
    pub process_id: u32,
}

impl Job {
    fn run(self) -> Done {
        let value = match self {
            Self::Work { seed, steps } => work(seed, steps),
            Self::Wait { number, duration } => {
                workload::io_wait_blocking(duration);
                number
            }
            Self::AbortHalfWay { seed, steps } => {
                work(seed, steps / 2);
                child::crash()
            }
        };
        Done {
            value,
            process_id: process::id(),
        }
    }
}

#[tracing::instrument(name = "work", skip_all)]
fn work(seed: u64, steps: u64) -> u64 {
    workload::mix(seed, steps)
}

/// Does one job after another on the calling thread.
pub fn run_one_by_one(jobs: &[Job]) -> Vec<Done> {
    jobs.iter().map(|job| job.run()).collect()
}

/// Starts up to `workers` threads, each of which takes the next job until none is left.
///
/// Returns what was done in the order of the jobs.
pub fn run_on_threads(workers: NonZeroUsize, jobs: &[Job]) -> Vec<Done> {
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, Done)> = thread::scope(|scope| {
        let start = |number| {
            let builder = thread::Builder::new().name(format!("thread {number}"));
            let thread = builder.spawn_scoped(scope, || take_jobs(jobs, &next));
            thread.expect("the system starts a thread")
        };
        let threads: Vec<_> = (1..=workers.get().min(jobs.len())).map(start).collect();
        let shares = threads.into_iter().map(|thread| {
            let share = thread.join();
            share.unwrap_or_else(|panicked| panic::resume_unwind(panicked))
        });
        shares.flatten().collect()
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, done)| done).collect()
}

/// What each thread does: its share of the jobs, with their places in the list.
fn take_jobs(jobs: &[Job], next: &AtomicUsize) -> Vec<(usize, Done)> {
    let mut share = Vec::new();
    loop {
        // Only the number matters: what a thread did is handed over by its join.
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(index) else {
            return share;
        };
        share.push((index, job.run()));
    }
}

/// Hands every job to the pool; returns the result of each in the order of the jobs.
pub fn run_in_processes(pool: &JobPool, jobs: &[Job]) -> Vec<Result<Done, TaskError>> {
    pool.map(jobs.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(count: u64) -> Vec<Job> {
        let job = |seed| match seed % 3 {
            0 => Job::Wait {
                number: seed,
                duration: Duration::from_micros(seed),
            },
            _ => Job::Work {
                seed,
                steps: 1000 * (seed % 7),
            },
        };
        (1..=count).map(job).collect()
    }

    #[test]
    fn threads_bring_back_what_one_thread_does_in_the_same_order() {
        for count in [0, 1, 5, 60] {
            let expected = run_one_by_one(&jobs(count));
            assert_eq!(expected.len() as u64, count);
            for workers in (1..=8).filter_map(NonZeroUsize::new) {
                let done = run_on_threads(workers, &jobs(count));
                assert_eq!(done, expected, "{count} jobs on {workers} threads");
            }
        }
    }

    #[test]
    fn a_job_of_work_does_its_steps_and_a_wait_says_its_number() {
        let done = run_one_by_one(&jobs(3));
        assert_eq!(done[0].value, workload::mix(1, 1000));
        assert_eq!(done[1].value, workload::mix(2, 2000));
        assert_eq!(done[2].value, 3);
        assert!(done.iter().all(|done| done.process_id == process::id()));
    }
}
