//! What a queued task costs: memory and descriptors, while both workers are held.

use super::{PYTHON, WORKERS, procspawn, tasks};
use ::process_pool::Worker;
use anyhow::{anyhow, ensure};
use common::format;
use measure::limits::kilobytes_in;
use serde::{Deserialize, Serialize};
use side_by_side::{Group, Program, Python, Setting};
use std::{fs, path::PathBuf, thread, time::Duration};

pub(super) const HELD: Worker<Held, u64> = Worker::new("held", Held::run);

/// A number to square, or a wait until a file is there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Held {
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

/// Submits a million tasks, each with a handle, behind two that wait; then has all of them done.
pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let count = [1_000_000, 1_000][usize::from(setting.plan.is_test)];
    let procspawn_open_files_each = procspawn::descriptors_of_a_queued_task(open_files)?;
    let dir = tempfile::tempdir()?;
    let gate = dir.path().join("open");
    let pool = HELD.pool_builder().workers(WORKERS).start()?;
    let held = (0..WORKERS.get()).map(|_| pool.submit(Held::Until(gate.clone())));
    let held: Vec<_> = held.collect();
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
    let ledger = pool.shutdown(None);
    ensure!(ledger.done == count + WORKERS.get() as u64, "{ledger:?}");
    let mut notes = Vec::new();
    notes.extend(bytes.map(|bytes| of_ours(bytes, count)));
    if let Some((before, then)) = open_files_before.zip(open_files) {
        notes.push(format!("ours: {before} open files before, {then} then"));
    }
    if let Some(each) = procspawn_open_files_each {
        notes.push(format!(
            "procspawn, 64 that wait: {each:.1} open files each"
        ));
    }
    notes.extend(of_pythons(setting, count / 20)?);
    Ok(Group::said("What tasks cost that wait in the queue", notes))
}

fn of_ours((before, after): (u64, u64), count: u64) -> String {
    let each = after.saturating_sub(before) as f64 / count as f64;
    let tasks = format::count(count);
    format!("ours, {tasks} that wait: {each:.0} B of memory each")
}

/// The same of each Python, or why not.
fn of_pythons(setting: &Setting, count: u64) -> anyhow::Result<Vec<String>> {
    let mut notes = Vec::new();
    for python in &setting.pythons {
        match queued_in(python, count) {
            Ok(note) => notes.extend(note),
            Err(error) if setting.plan.is_test => return Err(error),
            Err(error) => notes.push(format!("left out, because it failed: {error:#}")),
        }
    }
    Ok(notes)
}

/// The same in a pool of Python's, where the system tells its memory.
fn queued_in(python: &Python, count: u64) -> anyhow::Result<Option<String>> {
    let program = Program::start(&mut python.command(PYTHON, &["queued"]))?;
    let mut program = program.map_err(|missing| anyhow!("it misses `{missing}`"))?;
    let held = program.run(count)?.peak_bytes;
    Ok(held.map(|bytes| {
        let (name, tasks) = (python.name("ProcessPoolExecutor"), format::count(count));
        let each = bytes as f64 / count as f64;
        format!("{name}, {tasks} that wait: {each:.0} B of memory each")
    }))
}

/// How many descriptors this process has.
fn open_files() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// What this process holds of the machine's memory.
fn memory_bytes() -> Option<u64> {
    kilobytes_in("/proc/self/status", "VmRSS:")
}
