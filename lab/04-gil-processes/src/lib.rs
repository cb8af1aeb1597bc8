//! CPU-bound jobs: one after another, on threads, and in processes, where one may crash alone.

use measure::workload::count_down;
use process_pool::{ProcessPool, TaskError, Worker, child};
use serde::{Deserialize, Serialize};
use std::thread;

/// A job for a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Count down this many steps.
    Count(u64),
    /// Set out to count down this many steps, and crash half-way.
    CrashHalfWay(u64),
}

/// A worker process that counts down, one job at a time.
pub const COUNT: Worker<Job, u64> = Worker::new("job", |job| match job {
    Job::Count(steps) => count(steps),
    Job::CrashHalfWay(steps) => {
        count(steps / 2);
        child::crash()
    }
});

/// Counts down and returns the steps made.
#[tracing::instrument(name = "count", skip_all)]
fn count(steps: u64) -> u64 {
    count_down(steps)
}

/// Does one job after another on the calling thread; each is its number of steps.
pub fn count_sequential(jobs: &[u64]) -> Vec<u64> {
    jobs.iter().map(|&steps| count(steps)).collect()
}

/// Does every job on a thread of its own, all in this process.
pub fn count_threaded(jobs: &[u64]) -> Vec<u64> {
    thread::scope(|scope| {
        let start = |&steps| scope.spawn(move || count(steps));
        let threads: Vec<_> = jobs.iter().map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|steps| steps.expect("counting does not panic"))
            .collect()
    })
}

/// Does every job in a process of the pool; a job that crashes its process loses no other.
pub fn count_in_processes(
    pool: &ProcessPool<Job, u64>,
    jobs: &[Job],
) -> Vec<Result<u64, TaskError>> {
    pool.map(jobs.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_count_what_one_thread_counts() {
        for jobs in [vec![], vec![0], vec![3, 1, 2], (0..40).collect()] {
            assert_eq!(count_sequential(&jobs), jobs);
            assert_eq!(count_threaded(&jobs), jobs);
        }
    }
}
