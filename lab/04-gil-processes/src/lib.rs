//! CPU-bound jobs: one after another, on threads, and in processes, where one may crash alone.

use measure::workload::count_down;
use process_pool::{ProcessPool, TaskError, Worker, child};
use serde::{Deserialize, Serialize};
use std::{process, thread};

/// What a worker process does: one job.
pub const COUNT: Worker<Job, Counted> = Worker::new("job", Job::run);

/// Worker processes that count.
pub type CountPool = ProcessPool<Job, Counted>;

/// A job for a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Count down this many steps.
    Count(u64),
    /// Set out to count down this many steps, and crash half-way.
    CrashHalfWay(u64),
}

/// What a job brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The steps that it counted.
    pub steps: u64,
    /// The process that did it.
    pub process_id: u32,
}

impl Job {
    fn run(self) -> Counted {
        match self {
            Self::Count(steps) => count(steps),
            Self::CrashHalfWay(steps) => {
                count(steps / 2);
                child::crash()
            }
        }
    }
}

#[tracing::instrument(name = "count", skip_all)]
fn count(steps: u64) -> Counted {
    Counted {
        steps: count_down(steps),
        process_id: process::id(),
    }
}

/// Does one job after another on the calling thread; each is its number of steps.
pub fn count_sequential(jobs: &[u64]) -> Vec<Counted> {
    jobs.iter().map(|&steps| count(steps)).collect()
}

/// Does every job on a thread of its own, all in this process.
pub fn count_threaded(jobs: &[u64]) -> Vec<Counted> {
    let mut slots: Vec<Option<Counted>> = vec![None; jobs.len()];
    thread::scope(|scope| {
        for (number, (&steps, slot)) in (1..).zip(jobs.iter().zip(&mut slots)) {
            thread::Builder::new()
                .name(format!("thread {number}"))
                .spawn_scoped(scope, move || *slot = Some(count(steps)))
                .expect("the system starts a thread");
        }
    });
    slots.into_iter().flatten().collect()
}

/// Does every job in a process of the pool; one that ends its process costs the others nothing.
pub fn count_in_processes(pool: &CountPool, jobs: &[Job]) -> Vec<Result<Counted, TaskError>> {
    pool.map(jobs.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_count_what_one_thread_counts_in_the_same_process() {
        for jobs in [vec![], vec![0], vec![3, 1, 2], (0..40).collect()] {
            let sequential = count_sequential(&jobs);
            assert!(
                sequential
                    .iter()
                    .map(|job| job.steps)
                    .eq(jobs.iter().copied())
            );
            assert!(sequential.iter().all(|job| job.process_id == process::id()));
            assert_eq!(count_threaded(&jobs), sequential);
        }
    }
}
