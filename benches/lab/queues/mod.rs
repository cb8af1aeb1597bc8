//! Channels of the standard library, crossbeam and tokio: between threads, between tasks, and from one
//! to the other.

mod floor;
mod rally;
mod tasks;
mod threads;

use anyhow::ensure;
use side_by_side::{Group, Row, Setting, Unit};
use std::time::{Duration, Instant};

/// What bounded channels hold.
const CAPACITY: usize = 1_024;

/// Several producers or consumers are so many.
const SEVERAL: u64 = 2;

const PYTHON: &str = "queues.py";

/// From threads to threads.
pub(crate) fn between_threads(setting: &Setting) -> anyhow::Result<Group> {
    let mut rows = vec![Row::floor("ring of atomics, 1 to 1", floor::ring)];
    rows.extend(threads::rows());
    let title = "Numbers through a queue, from threads to threads, these started before";
    Ok(items(title, rows)
        .with(setting.python("Queue, 1 to 1", PYTHON, &["threads", "1", "1"]))
        .with(setting.python("SimpleQueue, 1 to 1", PYTHON, &["simple", "1", "1"]))
        .with(setting.python("Queue, 2 to 2", PYTHON, &["threads", "2", "2"]))
        .with(setting.python("mp.Queue, 1 to 1", PYTHON, &["processes", "1", "1"])))
}

/// From tasks to tasks.
pub(crate) fn between_tasks(setting: &Setting) -> anyhow::Result<Group> {
    let mut rows = vec![Row::floor("VecDeque in one task", floor::deque)];
    rows.extend(tasks::rows()?);
    let title = "Numbers through a queue of tokio's, from tasks to tasks";
    let group = items(title, rows);
    Ok(group.with(setting.python("asyncio.Queue, 1 to 1", PYTHON, &["tasks", "1", "1"])))
}

/// From threads to tasks and back.
pub(crate) fn between_both(_: &Setting) -> anyhow::Result<Group> {
    let mut rows = vec![Row::floor("ring of atomics", floor::ring)];
    rows.extend(tasks::mixed_rows()?);
    let title = "Numbers through a queue of tokio's, between a thread and a task on another";
    Ok(items(title, rows))
}

/// One item to and fro: nobody ever finds anything waiting.
pub(crate) fn rally(setting: &Setting) -> anyhow::Result<Group> {
    let title = "There and back: a number to the other side and its answer";
    let group = Group::new(title, Unit::Time, rally::rows()?).in_counts_of(100, 2_000_000);
    Ok(group
        .with(setting.python("Queue, threads", PYTHON, &["rally-threads", "1", "1"]))
        .with(setting.python("asyncio.Queue, tasks", PYTHON, &["rally-tasks", "1", "1"])))
}

fn items(title: &str, rows: Vec<Row>) -> Group {
    Group::new(title, Unit::per_second("items"), rows).in_counts_of(1_000, 50_000_000)
}

/// The numbers that producer `number` of `producers` sends.
fn share(number: u64, producers: u64, count: u64) -> impl Iterator<Item = u64> {
    (number..count).step_by(producers as usize)
}

/// What all consumers together must have added up.
fn check(sums: impl IntoIterator<Item = u64>, count: u64) -> anyhow::Result<()> {
    let (sum, expected) = (sums.into_iter().sum::<u64>(), (0..count).sum::<u64>());
    ensure!(
        sum == expected,
        "the numbers add up to {sum}, not {expected}"
    );
    Ok(())
}

/// A row that is timed as a whole; `run` returns the sums of its consumers.
fn row<Sums: IntoIterator<Item = u64>>(
    name: impl Into<String>,
    mut run: impl FnMut(u64) -> Sums + 'static,
) -> Row {
    Row::peer(name, move |count| timed(count, &mut run))
}

fn timed<Sums: IntoIterator<Item = u64>>(
    count: u64,
    run: &mut impl FnMut(u64) -> Sums,
) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let sums = run(count);
    let took = start.elapsed();
    check(sums, count)?;
    Ok(took)
}
