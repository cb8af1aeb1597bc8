//! A pool of two from nothing, until it has given its first result.

use anyhow::{Context, ensure};
use lab_05_thread_pool_downloader::ThreadPool;
use process_pool::Worker;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    num::NonZeroUsize,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

const PYTHON: &str = "start_up.py";

/// What the processes do.
pub(crate) const NEXT: Worker<u64, u64> = Worker::new("next", next);

fn next(n: u64) -> u64 {
    n + 1
}

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let title = "A pool of two from nothing to its first result";
    let group = Group::new(title, Unit::Time, rows()).in_counts_of(2, 10_000);
    Ok(group
        .with(setting.python("ThreadPoolExecutor", PYTHON, &["thread-pool"]))
        .with(setting.python("ProcessPoolExecutor", PYTHON, &["process-pool"])))
}

fn rows() -> Vec<Row> {
    vec![
        Row::floor("2 threads", |count| {
            timed(count, |n| {
                let start = || thread::Builder::new().spawn(move || next(n));
                let (one, other) = (start()?, start()?);
                Ok((one.join().ok().context("no panic")?, Joined(Some(other))))
            })
        }),
        Row::ours("lab-05's threads", |count| {
            timed(count, |n| {
                let mut pool = ThreadPool::new(TWO);
                pool.submit(move || next(n));
                let (_, outcome) = pool.as_completed().next().context("one")?;
                Ok((outcome.ok().context("no panic")?, pool))
            })
        }),
        Row::ours("rayon", |count| {
            timed(count, |n| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
                Ok((pool.install(|| next(n)), pool))
            })
        }),
        Row::ours("tokio runtime", |count| {
            timed(count, |n| {
                let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
                let first = runtime.block_on(async { tokio::spawn(async move { next(n) }).await });
                Ok((first?, runtime))
            })
        }),
        Row::ours("worker processes", |count| {
            timed(count, |n| {
                let pool = NEXT.pool_builder().workers(TWO).start()?;
                Ok((pool.call(n)?, pool))
            })
        }),
    ]
}

/// A thread whose end is waited for.
struct Joined(Option<JoinHandle<u64>>);

impl Drop for Joined {
    fn drop(&mut self) {
        // What it did is of no interest, a panic included: the first result was another's.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

/// The end of each pool is not timed: some wait there for their threads, and some do not.
fn timed<Pool>(
    count: u64,
    run: impl Fn(u64) -> anyhow::Result<(u64, Pool)>,
) -> anyhow::Result<Duration> {
    let mut took = Duration::ZERO;
    for n in 0..count {
        let start = Instant::now();
        let (first, pool) = run(n)?;
        took += start.elapsed();
        ensure!(first == n + 1, "a wrong answer");
        drop(pool);
    }
    Ok(took)
}
