//! The rows of the crate `procspawn`, which re-executes this program, too.

use super::{WORKERS, tasks};
use anyhow::{Context, ensure};
use procspawn::{JoinHandle, Pool, ProcConfig};
use serde_bytes::ByteBuf;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

const AHEAD: usize = 64;
const CHUNK: usize = 100;

/// Becomes a worker if this process was started as one; then it does not return.
pub(super) fn take_role() {
    // Without them its workers cannot take this program's arguments for theirs.
    ProcConfig::new().pass_args(false).init();
}

fn pool() -> anyhow::Result<Pool> {
    Pool::new(WORKERS.get()).context("procspawn starts no pool")
}

/// Waits for the oldest of `waiting` when there are `AHEAD`, or whenever `all` is set.
fn join_oldest<T>(waiting: &mut VecDeque<JoinHandle<T>>, all: bool) -> anyhow::Result<Option<T>>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    if waiting.len() < AHEAD && !all {
        return Ok(None);
    }
    let oldest = waiting.pop_front().map(JoinHandle::join);
    Ok(oldest.transpose()?)
}

fn square_all(numbers: Vec<u64>) -> Vec<u64> {
    numbers.into_iter().map(tasks::square).collect()
}

pub(super) fn in_chunks() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = pool()?;
    Ok(move |count| {
        let inputs = tasks::inputs(count);
        let mut answers = Vec::with_capacity(inputs.len());
        let mut waiting = VecDeque::new();
        let start = Instant::now();
        for chunk in inputs.chunks(CHUNK) {
            answers.extend(join_oldest(&mut waiting, false)?.into_iter().flatten());
            waiting.push_back(pool.spawn(chunk.to_vec(), square_all));
        }
        while let Some(chunk) = join_oldest(&mut waiting, true)? {
            answers.extend(chunk);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        ensure!(answers.len() == inputs.len(), "answers are missing");
        Ok(took)
    })
}

pub(super) fn ahead() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = pool()?;
    Ok(move |count| {
        let mut answers = Vec::new();
        let mut waiting = VecDeque::new();
        let start = Instant::now();
        for n in 0..count {
            answers.extend(join_oldest(&mut waiting, false)?);
            waiting.push_back(pool.spawn(n, tasks::square));
        }
        while let Some(answer) = join_oldest(&mut waiting, true)? {
            answers.push(answer);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        ensure!(answers.len() as u64 == count, "answers are missing");
        Ok(took)
    })
}

pub(super) fn one_in_flight() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = pool()?;
    Ok(move |count| {
        let mut answers = Vec::new();
        let start = Instant::now();
        for n in 0..count {
            answers.push(pool.spawn(n, tasks::square).join()?);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        Ok(took)
    })
}

pub(super) fn first_result(count: u64) -> anyhow::Result<Duration> {
    let mut took = Duration::ZERO;
    for n in 0..count {
        let start = Instant::now();
        let pool = Pool::new(1)?;
        let answer = pool.spawn(n, tasks::square).join()?;
        took += start.elapsed();
        ensure!(answer == tasks::square(n), "a wrong answer");
    }
    Ok(took)
}

pub(super) fn echo() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = pool()?;
    Ok(move |count| {
        let mut took = Duration::ZERO;
        for n in 0..count {
            let payload = tasks::payload(n);
            let input = ByteBuf::from(payload.clone());
            let start = Instant::now();
            let output = pool.spawn(input, |bytes: ByteBuf| bytes).join()?;
            took += start.elapsed();
            ensure!(*output == payload, "payload {n} came back changed");
        }
        Ok(took)
    })
}

/// How many descriptors this process holds for each task that waits, with 64 of them.
pub(super) fn descriptors_of_a_queued_task(
    open_files: impl Fn() -> Option<usize>,
) -> anyhow::Result<Option<f64>> {
    const TASKS: usize = 64;
    let pool = pool()?;
    let before = open_files();
    let waiting: Vec<_> = (0..TASKS).map(|_| pool.spawn(50_000, tasks::nap)).collect();
    let after = open_files();
    drop(waiting);
    pool.kill();
    let held = before.zip(after);
    Ok(held.map(|(before, after)| after.saturating_sub(before) as f64 / TASKS as f64))
}
