//! CPU work as futures: joined it stays on one thread, spawned it may be parallel.

use futures_util::future::join_all;
use measure::workload::mix;
use std::{io, num::NonZeroUsize};
use tokio::{runtime::Builder, task::JoinSet};

/// Work for a CPU.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Its number, which is its seed too.
    pub number: u64,
    /// How many steps it takes.
    pub steps: u64,
}

/// Runs a future, and on worker threads what it spawns: tokio's usual runtime.
///
/// # Errors
/// The system refuses the runtime its event queue or a thread.
pub fn run_with_workers<F: Future>(workers: NonZeroUsize, future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers.get())
        .thread_name("worker")
        .build()?;
    Ok(runtime.block_on(future))
}

/// Joins the jobs in one task: no job gives way before it is done, so they run one by one.
pub async fn mix_joined(jobs: &[Job]) -> Vec<u64> {
    join_all(jobs.iter().map(|&job| async move { compute(job) })).await
}

/// Spawns a task per job: as many run at once as the runtime has workers and the machine CPUs.
pub async fn mix_spawned(jobs: &[Job]) -> Vec<u64> {
    let mut tasks = JoinSet::new();
    for &job in jobs {
        tasks.spawn(async move { (job.number, compute(job)) });
    }
    let mut values = tasks.join_all().await;
    values.sort_unstable();
    values.into_iter().map(|(_, value)| value).collect()
}

#[tracing::instrument(name = "compute", skip_all)]
fn compute(job: Job) -> u64 {
    mix(job.number, job.steps)
}
