//! CPU work as futures: joined it stays on one thread, spawned it may be parallel.

use futures_util::future::join_all;
use measure::workload::mix;
use std::{io, num::NonZeroUsize};
use tokio::runtime::Builder;

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
pub async fn mix_joined(seeds: &[u64], steps: u64) -> Vec<u64> {
    join_all(
        seeds
            .iter()
            .map(|&seed| async move { compute(seed, steps) }),
    )
    .await
}

/// Spawns a task per job: as many run at once as the runtime has workers and the machine CPUs.
pub async fn mix_spawned(seeds: &[u64], steps: u64) -> Vec<u64> {
    let spawn = |&seed| tokio::spawn(async move { compute(seed, steps) });
    // All are spawned before the first is awaited.
    let tasks: Vec<_> = seeds.iter().map(spawn).collect();
    let values = join_all(tasks).await.into_iter();
    values.map(|value| value.expect("no job panics")).collect()
}

#[tracing::instrument(name = "compute", skip_all)]
fn compute(seed: u64, steps: u64) -> u64 {
    mix(seed, steps)
}
