//! What a queued task costs: memory and descriptors, while both workers are held.

use crate::{WORKERS, procspawn, rounds::Plan, tasks};
use anyhow::ensure;
use common::process_pool::Worker;
use serde::{Deserialize, Serialize};
use std::{fs, path::PathBuf, thread, time::Duration};

pub(crate) const HELD: Worker<Held, u64> = Worker::new("held", Held::run);

/// A number to square, or a wait until a file is there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Held {
    Until(PathBuf),
    Number(u64),
}

impl Held {
    fn run(self) -> u64 {
        match self {
            Self::Until(path) => {
                while !path.exists() {
                    thread::sleep(Duration::from_millis(1));
                }
                0
            }
            Self::Number(n) => tasks::square(n),
        }
    }
}

/// What waiting tasks cost; where the system does not tell, nothing stands.
#[derive(Debug, Serialize)]
pub(crate) struct Queue {
    pub(crate) tasks: u64,
    pub(crate) open_files_before: Option<usize>,
    pub(crate) open_files: Option<usize>,
    pub(crate) bytes_each: Option<f64>,
    pub(crate) procspawn_open_files_each: Option<f64>,
}

/// Submits a million tasks, each with a handle, behind two that wait; then has all of them done.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Queue> {
    let count = if plan.is_test { 1_000 } else { 1_000_000 };
    let procspawn_open_files_each = procspawn::descriptors_of_a_queued_task(open_files)?;
    let dir = tempfile::tempdir()?;
    let gate = dir.path().join("open");
    let pool = HELD.pool(WORKERS)?;
    let held: Vec<_> = (0..WORKERS.get())
        .map(|_| pool.submit(Held::Until(gate.clone())))
        .collect();
    let open_files_before = open_files();
    let before = memory_bytes();
    let waiting: Vec<_> = (0..count).map(|n| pool.submit(Held::Number(n))).collect();
    let bytes = before.zip(memory_bytes());
    let open_files = open_files();
    let ledger = pool.ledger();
    ensure!(ledger.done == 0, "a worker got away: {ledger:?}");
    fs::write(&gate, "")?;
    for task in held {
        task.wait()?;
    }
    for (n, task) in (0..count).zip(waiting) {
        ensure!(task.wait()? == tasks::square(n), "a wrong answer");
    }
    let ledger = pool.shutdown();
    ensure!(ledger.done == count + WORKERS.get() as u64, "{ledger:?}");
    Ok(Queue {
        tasks: count,
        open_files_before,
        open_files,
        bytes_each: bytes.map(|(before, after)| after.saturating_sub(before) as f64 / count as f64),
        procspawn_open_files_each,
    })
}

/// How many descriptors this process has.
fn open_files() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// What this process holds of the machine's memory.
fn memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
