//! Jobs that compute or wait: one by one, on threads, in processes; and what an abort ends.

use measure::workload;
use process_pool::{ProcessPool, TaskError, Worker, child};
use serde::{Deserialize, Serialize};
use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// Something to do; the same for a thread and for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Keep a CPU busy for this many steps.
    Compute {
        /// Where the steps begin.
        seed: u64,
        /// How many.
        steps: u64,
    },
    /// Wait, as for a disk or a network.
    Wait {
        /// How long.
        duration: Duration,
    },
    /// Abort: no panic that could be caught, the end of the whole process.
    Abort,
}

impl Job {
    fn run(self) -> u64 {
        match self {
            Self::Compute { seed, steps } => compute(seed, steps),
            Self::Wait { duration } => {
                workload::io_wait_blocking(duration);
                0
            }
            Self::Abort => child::crash(),
        }
    }
}

#[tracing::instrument(name = "compute", skip_all)]
fn compute(seed: u64, steps: u64) -> u64 {
    workload::mix(seed, steps)
}

/// Does one job after another on the calling thread.
pub fn run_one_by_one(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.run()).collect()
}

/// Does the jobs on up to `workers` threads, each of which takes the next until none is left.
///
/// Results are in the order of the jobs.
pub fn run_on_threads(workers: NonZeroUsize, jobs: &[Job]) -> Vec<u64> {
    let next = AtomicUsize::new(0);
    let take_jobs = || {
        // Relaxed: only the number matters; `join` hands over what a thread did.
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Relaxed));
        let mine = numbers.take_while(|&number| number < jobs.len());
        mine.map(|number| (number, jobs[number].run()))
            .collect::<Vec<_>>()
    };
    let mut done: Vec<(usize, u64)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.get().min(jobs.len()))
            .map(|_| scope.spawn(take_jobs))
            .collect();
        let done = threads.into_iter();
        done.flat_map(|thread| thread.join().expect("no job panics"))
            .collect()
    });
    done.sort_unstable();
    done.into_iter().map(|(_, result)| result).collect()
}

/// A worker process that does one job at a time.
pub const JOB: Worker<Job, u64> = Worker::new("job", Job::run);

/// Does the jobs in the pool's processes; results are in the order of the jobs.
pub fn run_in_processes(pool: &ProcessPool<Job, u64>, jobs: &[Job]) -> Vec<Result<u64, TaskError>> {
    pool.map(jobs.iter().copied())
}

/// A whole program whose jobs are threads, as a single task of a process.
pub const PROGRAM: Worker<(NonZeroUsize, Vec<Job>), Vec<u64>> =
    Worker::new("program of threads", |(workers, jobs)| {
        run_on_threads(workers, &jobs)
    });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_return_what_one_thread_does_in_the_same_order() {
        let job = |seed| match seed % 3 {
            0 => Job::Wait {
                duration: Duration::from_micros(seed),
            },
            _ => Job::Compute {
                seed,
                steps: 1000 * (seed % 7),
            },
        };
        for count in [0, 1, 5, 60] {
            let jobs: Vec<Job> = (1..=count).map(job).collect();
            let expected = run_one_by_one(&jobs);
            assert_eq!(expected.len() as u64, count);
            for workers in (1..=8).filter_map(NonZeroUsize::new) {
                assert_eq!(run_on_threads(workers, &jobs), expected, "{workers}");
            }
        }
    }

    #[test]
    fn a_job_does_its_own_steps() {
        let job = |seed, steps| Job::Compute { seed, steps };
        let done = run_one_by_one(&[job(1, 1000), job(2, 2000)]);
        assert_eq!(done, [workload::mix(1, 1000), workload::mix(2, 2000)]);
    }
}
