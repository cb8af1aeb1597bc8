//! One piece of work handed to something that starts for it, until its result is there.

use crate::process_pool::say_one_byte;
use anyhow::ensure;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    hint::black_box,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const PYTHON: &str = "start_up.py";

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let title = "One piece of work on something new, until its result is there";
    let group = Group::new(title, Unit::Time, rows()?).in_counts_of(10, 5_000_000);
    Ok(group
        .with(setting.python("task", PYTHON, &["task"]))
        .with(setting.python("thread", PYTHON, &["thread"]))
        .with(setting.python("Executor, threads", PYTHON, &["executor"]))
        .with(setting.python("multiprocessing", PYTHON, &["process"]))
        .with(setting.python("subprocess, python", PYTHON, &["subprocess"])))
}

fn rows() -> anyhow::Result<Vec<Row>> {
    let here = Builder::new_current_thread().build()?;
    let [everywhere, blocking] = [runtime()?, runtime()?];
    let rayon = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    Ok(vec![
        Row::floor("a boxed closure, called", |count| timed(count, boxed)),
        Row::ours("task, one thread", move |count| {
            here.block_on(timed_tasks(count, |n| {
                tokio::spawn(async move { answer(n) })
            }))
        }),
        Row::ours("task, all CPUs", move |count| {
            everywhere.block_on(timed_tasks(count, |n| {
                tokio::spawn(async move { answer(n) })
            }))
        }),
        Row::ours("spawn_blocking, warm", move |count| {
            blocking.block_on(timed_tasks(count, |n| {
                tokio::task::spawn_blocking(move || answer(n))
            }))
        }),
        Row::ours("rayon spawn, warm", move |count| {
            timed(count, |n| {
                let (tx, rx) = mpsc::sync_channel(1);
                // Whoever asked waits for it.
                rayon.spawn(move || tx.send(answer(n)).expect("a receiver"));
                Ok(rx.recv()?)
            })
        }),
        Row::ours("thread, joined", |count| timed(count, threaded)),
        Row::ours("scoped thread", |count| {
            timed(count, |n| {
                let joined = thread::scope(|scope| scope.spawn(|| answer(n)).join());
                joined.map_err(|_| anyhow::anyhow!("it panicked"))
            })
        }),
        Row::ours("process, says a byte", say_one_byte),
    ])
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().build()
}

fn answer(n: u64) -> u64 {
    black_box(n) + 1
}

fn boxed(n: u64) -> anyhow::Result<u64> {
    let work: Box<dyn FnOnce() -> u64> = Box::new(move || answer(n));
    Ok(black_box(work)())
}

fn threaded(n: u64) -> anyhow::Result<u64> {
    let joined = thread::Builder::new().spawn(move || answer(n))?.join();
    joined.map_err(|_| anyhow::anyhow!("it panicked"))
}

fn timed(count: u64, mut run: impl FnMut(u64) -> anyhow::Result<u64>) -> anyhow::Result<Duration> {
    let mut sum = 0;
    let start = Instant::now();
    for n in 0..count {
        sum += run(n)?;
    }
    let took = start.elapsed();
    check(sum, count)?;
    Ok(took)
}

async fn timed_tasks(
    count: u64,
    start: impl Fn(u64) -> tokio::task::JoinHandle<u64>,
) -> anyhow::Result<Duration> {
    let mut sum = 0;
    let began = Instant::now();
    for n in 0..count {
        sum += start(n).await?;
    }
    let took = began.elapsed();
    check(sum, count)?;
    Ok(took)
}

fn check(sum: u64, count: u64) -> anyhow::Result<()> {
    let expected = (1..=count).sum::<u64>();
    ensure!(
        sum == expected,
        "the answers add up to {sum}, not {expected}"
    );
    Ok(())
}
