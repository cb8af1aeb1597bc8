//! CPU work as futures: joined it stays on one thread, spawned it may be parallel.

use futures_util::future::join_all;
use measure::workload::mix;
use std::{
    io,
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::{self, ThreadId},
};
use tokio::{runtime::Builder, task::JoinSet};

/// Work for a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number, which is its seed too.
    pub number: u64,
    /// How many steps it takes.
    pub steps: u64,
}

/// What a job brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// The number of the job.
    pub number: u64,
    /// What it computed.
    pub value: u64,
    /// The thread that computed it.
    pub thread: ThreadId,
}

/// Runs a future, and on worker threads what it spawns: tokio's usual runtime.
///
/// # Errors
/// The system refuses the runtime its event queue or a thread.
pub fn run_with_workers<F: Future>(workers: NonZeroUsize, future: F) -> io::Result<F::Output> {
    let number = AtomicUsize::new(0);
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers.get())
        // Relaxed: a number of its own for each name, and nothing else hangs on it.
        .thread_name_fn(move || format!("worker {}", number.fetch_add(1, Relaxed) + 1))
        .build()?;
    Ok(runtime.block_on(future))
}

/// Joins the jobs in one task: no job gives way before it is done, so they run one by one.
pub async fn mix_joined(jobs: &[Job]) -> Vec<Mixed> {
    join_all(jobs.iter().map(|&job| async move { compute(job) })).await
}

/// Spawns a task per job: as many run at once as the runtime has workers and the machine CPUs.
pub async fn mix_spawned(jobs: &[Job]) -> Vec<Mixed> {
    let tasks = jobs.iter().map(|&job| async move { compute(job) });
    let mut mixed = tasks.collect::<JoinSet<_>>().join_all().await;
    mixed.sort_by_key(|mixed| mixed.number);
    mixed
}

#[tracing::instrument(name = "compute", skip_all)]
fn compute(job: Job) -> Mixed {
    Mixed {
        number: job.number,
        value: mix(job.number, job.steps),
        thread: thread::current().id(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_on_this_thread;

    #[test]
    fn joined_and_spawned_compute_what_a_loop_does_in_its_order() {
        for count in [0, 1, 3, 40] {
            let jobs: Vec<Job> = (1..=count)
                .map(|number| Job {
                    number,
                    steps: 100 + number,
                })
                .collect();
            let right: Vec<u64> = jobs.iter().map(|job| mix(job.number, job.steps)).collect();
            let values = |mixed: &[Mixed]| mixed.iter().map(|one| one.value).collect::<Vec<_>>();
            let joined = run_on_this_thread(mix_joined(&jobs)).expect("a runtime starts");
            assert_eq!(values(&joined), right);
            let here = thread::current().id();
            assert!(joined.iter().all(|one| one.thread == here));
            for workers in 1..=4 {
                let workers = NonZeroUsize::new(workers).expect("not zero");
                let spawned = run_with_workers(workers, mix_spawned(&jobs));
                let spawned = spawned.expect("a runtime starts");
                assert_eq!(values(&spawned), right);
                assert!(spawned.iter().all(|one| one.thread != here));
            }
        }
    }
}
