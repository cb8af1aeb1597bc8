//! The rows of the pool itself.

use super::{
    WORKERS,
    tasks::{self, PAYLOAD_BYTES},
};
use ::process_pool::{ProcessPool, Task, TaskError, Worker, child::Role};
use anyhow::{Context, ensure};
use serde_bytes::ByteBuf;
use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

const SQUARE: Worker<u64, u64> = Worker::new("square", tasks::square);
const ECHO: Worker<ByteBuf, ByteBuf> = Worker::new("echo", |bytes| bytes);
const ECHO_PLAIN: Worker<Vec<u8>, Vec<u8>> = Worker::new("echo-plain", |bytes| bytes);
pub(super) const NAP: Worker<u64, u64> = Worker::new("nap", tasks::nap);

pub(crate) const ROLES: [&dyn Role; 5] = [&SQUARE, &ECHO, &ECHO_PLAIN, &NAP, &super::queue::HELD];

type Answers = Result<Vec<u64>, TaskError>;

pub(super) fn map() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = SQUARE.pool_builder().workers(WORKERS).start()?;
    Ok(move |count| {
        let inputs = tasks::inputs(count);
        let start = Instant::now();
        let outcomes = pool.map(inputs.iter().copied());
        let took = start.elapsed();
        let answers: Answers = outcomes.into_iter().collect();
        tasks::check_squares(&answers?)?;
        ensure!(pool.ledger().balances(), "{:?}", pool.ledger());
        Ok(took)
    })
}

pub(super) fn unordered() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = SQUARE.pool_builder().workers(WORKERS).start()?;
    Ok(stream_through(pool))
}

/// With retries and a time limit, and with a hook that sees all events.
pub(super) fn unordered_with(
    is_noted: bool,
) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let builder = SQUARE.pool_builder().workers(WORKERS).retries(2);
    let builder = builder.timeout(Duration::from_secs(60));
    let pool = match is_noted {
        true => builder.on_event(|_| {}).start()?,
        false => builder.start()?,
    };
    Ok(stream_through(pool))
}

fn stream_through(pool: ProcessPool<u64, u64>) -> impl FnMut(u64) -> anyhow::Result<Duration> {
    move |count: u64| {
        let mut answers = vec![u64::MAX; usize::try_from(count)?];
        let mut seen = 0;
        let start = Instant::now();
        for (index, outcome) in pool.map_unordered(0..count) {
            answers[index] = outcome?;
            seen += 1;
        }
        let took = start.elapsed();
        ensure!(seen == count, "{seen} answers to {count} tasks");
        tasks::check_squares(&answers)?;
        Ok(took)
    }
}

pub(super) fn call() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = SQUARE.pool_builder().workers(WORKERS).start()?;
    Ok(move |count: u64| {
        let mut answers = Vec::with_capacity(usize::try_from(count)?);
        let start = Instant::now();
        for n in 0..count {
            answers.push(pool.call(n)?);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        Ok(took)
    })
}

/// Waits for the oldest task before it submits one more than `ahead`.
pub(super) fn submit_ahead(
    ahead: usize,
) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = SQUARE.pool_builder().workers(WORKERS).start()?;
    Ok(move |count: u64| {
        let mut answers = Vec::with_capacity(usize::try_from(count)?);
        let mut waiting: VecDeque<Task<u64>> = VecDeque::new();
        let start = Instant::now();
        for n in 0..count {
            if waiting.len() == ahead {
                let oldest = waiting.pop_front().context("somebody is ahead")?;
                answers.push(oldest.wait()?);
            }
            waiting.push_back(pool.submit(n));
        }
        for task in waiting {
            answers.push(task.wait()?);
        }
        let took = start.elapsed();
        tasks::check_squares(&answers)?;
        Ok(took)
    })
}

/// Starts pools of `workers` and ends them; the time is that of one worker until all are ready.
pub(super) fn ready(workers: NonZeroUsize) -> impl FnMut(u64) -> anyhow::Result<Duration> {
    move |count| {
        let mut took = Duration::ZERO;
        for _ in 0..count {
            let start = Instant::now();
            let pool = SQUARE.pool_builder().workers(workers).start()?;
            took += start.elapsed();
            ensure!(pool.worker_ids().len() == workers.get(), "all are ready");
        }
        Ok(took / u32::try_from(workers.get())?)
    }
}

pub(super) fn first_result(count: u64) -> anyhow::Result<Duration> {
    let mut took = Duration::ZERO;
    for n in 0..count {
        let start = Instant::now();
        let pool = SQUARE.pool_builder().workers(NonZeroUsize::MIN).start()?;
        let answer = pool.call(n)?;
        took += start.elapsed();
        ensure!(answer == tasks::square(n), "a wrong answer");
    }
    Ok(took)
}

pub(super) fn echo_one_in_flight() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = ECHO.pool_builder().workers(WORKERS).start()?;
    Ok(move |count| {
        let mut took = Duration::ZERO;
        for n in 0..count {
            let payload = tasks::payload(n);
            let input = ByteBuf::from(payload.clone());
            let start = Instant::now();
            let output = pool.call(input)?;
            took += start.elapsed();
            ensure!(*output == payload, "payload {n} came back changed");
        }
        Ok(took)
    })
}

pub(super) fn echo_map() -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = ECHO.pool_builder().workers(WORKERS).start()?;
    Ok(move |count| echo_all(&pool, count))
}

pub(super) fn echo_map_of_plain_vectors()
-> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let pool = ECHO_PLAIN.pool_builder().workers(WORKERS).start()?;
    Ok(move |count| echo_all(&pool, count))
}

fn echo_all<T>(pool: &ProcessPool<T, T>, count: u64) -> anyhow::Result<Duration>
where
    T: From<Vec<u8>> + AsRef<[u8]> + serde::Serialize + serde::de::DeserializeOwned,
{
    let payloads: Vec<Vec<u8>> = (0..count).map(tasks::payload).collect();
    let inputs: Vec<T> = payloads.iter().cloned().map(T::from).collect();
    let start = Instant::now();
    let outcomes = pool.map(inputs);
    let took = start.elapsed();
    for (payload, outcome) in payloads.iter().zip(outcomes) {
        let output = outcome?;
        ensure!(output.as_ref().len() == PAYLOAD_BYTES, "a payload shrank");
        ensure!(output.as_ref() == payload, "a payload came back changed");
    }
    Ok(took)
}
