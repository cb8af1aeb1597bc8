//! Jobs of unequal length: how near two workers come to the least that they can take.

use super::{PYTHON, WORKERS, ours::NAP, pipe::Pipe, tasks};
use anyhow::ensure;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// Long enough that starting four of them is less than a hundredth.
const UNIT_MICROS: u64 = 5_000;

/// Jobs of 40, 30, 20 and 10 units: longest first, two workers take 50 units.
pub(crate) fn four_long(setting: &Setting) -> anyhow::Result<Group> {
    let jobs = [40, 30, 20, 10].map(|units| units * UNIT_MICROS);
    group(
        "Jobs of 40, 30, 20, 10 units of 5 ms on two workers",
        setting,
        &jobs,
    )
}

pub(crate) fn many_of_a_millisecond(setting: &Setting) -> anyhow::Result<Group> {
    group("200 jobs of 1 ms on two workers", setting, &[1_000; 200])
}

/// Long ones hidden among short ones, the last near the end.
pub(crate) fn short_and_long(setting: &Setting) -> anyhow::Result<Group> {
    let mut jobs = [10; 400];
    for place in [50, 150, 250, 350] {
        jobs[place] = 40_000;
    }
    let title = "400 jobs of 10 µs, 4 of them of 40 ms, on two workers";
    group(title, setting, &jobs)
}

fn group(title: &str, setting: &Setting, jobs: &[u64]) -> anyhow::Result<Group> {
    let words: Vec<String> = jobs.iter().map(u64::to_string).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let rows = vec![
        Row::bound("half of all", bound(jobs)),
        Row::peer("2 pipes by hand", by_hand(jobs.to_vec())?),
        Row::ours("map, new pool", ours(jobs.to_vec(), 0)?),
        Row::ours("map, used pool", ours(jobs.to_vec(), 100_000)?),
    ];
    let executor = [&["executor-naps"], &words[..]].concat();
    let pool = [&["pool-naps"], &words[..]].concat();
    Ok(Group::new(title, Unit::Time, rows)
        .in_counts_of(1, 1)
        .with(setting.python("Executor.map, 1", PYTHON, &executor))
        .with(setting.python("Pool.map", PYTHON, &pool)))
}

/// Half of all, as these jobs can be divided so.
fn bound(jobs: &[u64]) -> Duration {
    Duration::from_micros(jobs.iter().sum::<u64>() / WORKERS.get() as u64)
}

/// A pool that has seen `short` tasks of no length just before; without any, one that has seen none.
fn ours(
    jobs: Vec<u64>,
    short: usize,
) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pool = NAP.pool_builder().workers(WORKERS).start()?;
    Ok(move |_| {
        if short == 0 {
            pool = NAP.pool_builder().workers(WORKERS).start()?;
        }
        for outcome in pool.map(std::iter::repeat_n(0, short)) {
            ensure!(outcome? == 0, "a wrong answer");
        }
        let start = Instant::now();
        let outcomes = pool.map(jobs.iter().copied());
        let took = start.elapsed();
        let answers: Vec<u64> = outcomes.into_iter().collect::<Result<_, _>>()?;
        tasks::check(answers.iter(), jobs.iter())?;
        Ok(took)
    })
}

/// A thread for each pipe takes the next job when its last is done.
fn by_hand(jobs: Vec<u64>) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
    let mut pipes = [Pipe::napping()?, Pipe::napping()?];
    Ok(move |_| {
        let waiting = Mutex::new(jobs.iter().copied());
        let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
        let start = Instant::now();
        let done = thread::scope(|scope| {
            let threads: Vec<_> = pipes
                .iter_mut()
                .map(|pipe| {
                    scope.spawn(|| {
                        let mut done = 0;
                        while let Some(job) = next() {
                            pipe.send(job)?;
                            ensure!(pipe.receive()? == job, "a wrong answer");
                            done += 1;
                        }
                        anyhow::Ok(done)
                    })
                })
                .collect();
            let done = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            done.sum::<anyhow::Result<usize>>()
        });
        let took = start.elapsed();
        ensure!(done? == jobs.len(), "answers are missing");
        Ok(took)
    })
}
