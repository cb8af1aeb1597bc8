//! A job of the given shape, done for real in each way: sleeps, measured CPU work, worker processes.

use crate::{Job, Way};
use anyhow::Context;
use measure::workload::mix;
use process_pool::{ProcessPool, Worker};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Stacks of threads that do little; the system's own default only reserves more addresses.
pub const STACK_BYTES: usize = 128 * 1024;

/// One item, as threads and tasks do it and as it travels to a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    wait: Duration,
    steps: u64,
    input: ByteBuf,
    bytes_out: usize,
}

impl Item {
    /// An item of the job, on a machine that does so many steps a second.
    pub fn of(job: &Job, steps_per_s: f64) -> Self {
        Self {
            wait: Duration::from_secs_f64(job.wait_s),
            steps: (job.cpu_s * steps_per_s) as u64,
            input: ByteBuf::from(vec![7; job.bytes_in]),
            bytes_out: job.bytes_out,
        }
    }

    /// How long a machine of that speed computes it.
    pub fn cpu_s(&self, steps_per_s: f64) -> f64 {
        self.steps as f64 / steps_per_s
    }

    fn run(&self) {
        // A sleep of nothing would be a call of the system.
        if !self.wait.is_zero() {
            thread::sleep(self.wait);
        }
        mix(7, self.steps);
    }

    fn run_in_a_process(self) -> ByteBuf {
        self.run();
        ByteBuf::from(vec![7; self.bytes_out])
    }
}

/// What worker processes do.
pub const ITEM: Worker<Item, ByteBuf> = Worker::new("item", Item::run_in_a_process);

type Pool = ProcessPool<Item, ByteBuf>;

/// Between two runs: where others want the CPUs, too, what has just computed has to let them go first.
const REST: Duration = Duration::from_millis(5);

/// Does `count` items one way, `at_once` of them at a time; the time in seconds, with the start of it all and its end.
///
/// # Errors
/// The system starts no thread or no process.
pub fn run(way: Way, item: &Item, count: usize, at_once: usize) -> anyhow::Result<f64> {
    thread::sleep(REST);
    let began = Instant::now();
    match way {
        Way::OneByOne => (0..count).for_each(|_| item.run()),
        Way::Threads => on_threads(item, count, at_once)?,
        Way::Rayon => in_rayon(item, count, at_once)?,
        Way::Tasks => in_tasks(item, count, at_once, None)?,
        Way::Processes => {
            let pool = start_pool(at_once)?;
            in_pool(&pool, item, count)?;
        }
        Way::TasksAndProcesses => {
            let workers = at_once.min(measure::surroundings::cpus());
            in_tasks(item, count, at_once, Some(start_pool(workers)?))?;
        }
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Threads that each take the next item until none is left.
fn on_threads(item: &Item, count: usize, threads: usize) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    // Relaxed: only the number matters.
    let take = || {
        while next.fetch_add(1, Relaxed) < count {
            item.run()
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            thread
                .spawn_scoped(scope, take)
                .context("no more threads")?;
        }
        Ok(())
    })
}

fn in_rayon(item: &Item, count: usize, threads: usize) -> anyhow::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    // One item is worth a handoff: what sleeps is not to be bundled.
    pool.install(|| {
        let items = (0..count).into_par_iter().with_max_len(1);
        items.for_each(|_| item.run());
    });
    Ok(())
}

/// Tasks on one thread; where there is a pool, it does the computing.
fn in_tasks(item: &Item, count: usize, at_once: usize, pool: Option<Pool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let (wait, mut item) = (item.wait, item.clone());
    item.wait = Duration::ZERO;
    let slots = Semaphore::new(at_once.min(Semaphore::MAX_PERMITS));
    let shared = Arc::new((slots, item, pool));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                let (slots, item, pool) = &*shared;
                let _slot = slots.acquire().await?;
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                match pool {
                    None => item.run(),
                    Some(pool) => drop(pool.submit_async(item.clone()).await.await?),
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    })
}

/// A pool of so many processes.
///
/// # Errors
/// One of them does not start.
pub fn start_pool(workers: usize) -> anyhow::Result<Pool> {
    let workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
    // One item a message: a chunk would run one after another on one worker.
    let pool = ITEM
        .pool_builder()
        .workers(workers)
        .chunk(NonZeroUsize::MIN);
    Ok(pool.start()?)
}

/// Does the items in processes that have started.
///
/// # Errors
/// One of them failed.
pub fn in_pool(pool: &Pool, item: &Item, count: usize) -> anyhow::Result<()> {
    let item = item.clone();
    let items = (0..count).map(move |_| item.clone());
    for (_, outcome) in pool.map_unordered(items) {
        outcome?;
    }
    Ok(())
}
