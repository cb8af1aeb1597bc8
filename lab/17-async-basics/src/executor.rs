//! What keeps a thread of a runtime: CPU work, and a call that blocks; and the same moved off it.

use futures_util::future::join_all;
use measure::workload::mix;
use std::{num::NonZeroUsize, thread, time::Duration};
use tokio::{
    runtime::Builder,
    task::{self, JoinSet},
    time,
};
use tracing::{Instrument, info_span};

/// Runs a future, and on worker threads what it spawns: tokio's usual runtime.
pub fn run_with_workers<F: Future>(workers: NonZeroUsize, future: F) -> F::Output {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers.get()).thread_name("worker");
    runtime.build().expect("a runtime").block_on(future)
}

/// Joins the jobs in one task: no job gives way before it is done, so they run one by one.
pub async fn mix_joined(seeds: &[u64], steps: u64) -> Vec<u64> {
    let jobs = seeds
        .iter()
        .map(|&seed| async move { compute(seed, steps) });
    join_all(jobs).await
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

/// Pauses before and after the call, in ticks, in which the light task has the thread to itself.
pub const CALM_TICKS: u32 = 3;

/// Makes the call on the thread of the runtime, which is to be its only one.
pub async fn block_the_executor(tick: Duration, takes: Duration) {
    tick_beside(tick, async move {
        // BUG (on purpose): no `await`, so no other task is polled until the call returns.
        call_blocking(takes);
    })
    .await;
}

/// Makes the call on a thread for such calls, and awaits it.
pub async fn move_the_call_away(tick: Duration, takes: Duration) {
    tick_beside(tick, async move {
        let call = task::spawn_blocking(move || call_blocking(takes));
        call.await.expect("the call does not panic");
    })
    .await;
}

/// Blocks its thread, as a driver or a file system without `async` does.
#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn call_blocking(takes: Duration) {
    thread::sleep(takes);
}

async fn tick_beside(tick: Duration, call: impl Future<Output = ()> + Send + 'static) {
    let light = async move {
        loop {
            let next = time::sleep(tick).instrument(info_span!("tick", wait = "sleep"));
            next.await;
        }
    };
    let heavy = async move {
        time::sleep(tick * CALM_TICKS).await;
        call.await;
        time::sleep(tick * CALM_TICKS).await;
    };
    let lane = |task| info_span!("task", task, wait = "sleep");
    let mut tasks = JoinSet::new();
    tasks.spawn(light.instrument(lane("light")));
    tasks.spawn(heavy.instrument(lane("heavy")));
    // The light task has no end: the set's own end aborts it.
    tasks.join_next().await;
    tasks.shutdown().await;
}
