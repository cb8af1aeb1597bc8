//! The same tasks one by one, on a thread each, on a pool by hand, and on rayon's pool.

pub mod crowd;

use measure::workload;
use serde::Serialize;
use std::{io, num::NonZeroUsize, sync::mpsc, thread, time::Duration};

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number, by which its result is known.
    pub number: usize,
    /// What is to be done.
    pub load: Load,
}

/// What a task consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Waiting, as for a disk or a network.
    Wait(Duration),
    /// Keeping a CPU busy for this many steps.
    Work(u64),
    /// The same, too short to be worth a mark on the timeline.
    Little(u64),
}

/// What a task brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The number of the task.
    pub number: usize,
    /// The result of its steps; 0 for a wait.
    pub value: u64,
}

impl Task {
    /// Does the task on the calling thread.
    pub fn run(self) -> Done {
        let number = self.number;
        let value = match self.load {
            Load::Wait(duration) => {
                workload::io_wait_blocking(duration);
                0
            }
            Load::Work(steps) => work(number as u64, steps),
            Load::Little(steps) => workload::mix(number as u64, steps),
        };
        Done { number, value }
    }
}

#[tracing::instrument(name = "work", skip_all)]
fn work(seed: u64, steps: u64) -> u64 {
    workload::mix(seed, steps)
}

/// Does one task after another on the calling thread.
pub fn run_one_by_one(tasks: &[Task], each: impl FnMut(Done)) {
    tasks.iter().map(|task| task.run()).for_each(each);
}

/// Starts a thread for each task; `each` is called as they complete.
///
/// # Errors
/// The system refuses to start another thread; those that were started are waited for.
pub fn run_thread_per_task(tasks: &[Task], each: impl FnMut(Done)) -> io::Result<()> {
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for task in tasks {
            let (tx, thread) = (tx.clone(), thread::Builder::new());
            let thread = thread.name(format!("thread {}", task.number));
            thread.spawn_scoped(scope, move || tx.send(task.run()))?;
        }
        // From here on the channel closes with the last thread.
        drop(tx);
        rx.iter().for_each(each);
        Ok(())
    })
}

/// Starts a pool of `workers` threads for the tasks; `each` is called as they complete.
///
/// # Errors
/// The system refuses to start another thread; those that were started are waited for.
pub fn run_on_pool(
    workers: NonZeroUsize,
    tasks: &[Task],
    each: impl FnMut(Done),
) -> io::Result<()> {
    // A channel that many can receive from is all that a pool needs: each task goes to one worker.
    let (task_tx, task_rx) = crossbeam::channel::unbounded();
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for number in 1..=workers.get() {
            let (task_rx, tx) = (task_rx.clone(), tx.clone());
            let worker = thread::Builder::new().name(format!("worker {number}"));
            worker.spawn_scoped(scope, move || {
                let done = task_rx.iter().map(|task: &Task| task.run());
                done.for_each(|one| tx.send(one).unwrap_or_default());
            })?;
        }
        // The workers are running; the queue ends behind the last task, and with it each worker.
        for task in tasks {
            task_tx
                .send(task)
                .expect("this function has a receiver, too");
        }
        drop((task_tx, tx));
        rx.iter().for_each(each);
        Ok(())
    })
}

/// Has rayon start a pool of `workers` threads; `each` is called as the tasks complete.
///
/// # Errors
/// The system refuses to start another thread.
pub fn run_on_rayon(
    workers: NonZeroUsize,
    tasks: &[Task],
    each: impl FnMut(Done),
) -> io::Result<()> {
    let (tx, rx) = mpsc::channel();
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers.get())
        .thread_name(|index| format!("rayon {}", index + 1))
        // Scoped, so that its threads are joined here, as those of the other ways are.
        .build_scoped(
            |thread| thread.run(),
            |pool| {
                pool.in_place_scope(|scope| {
                    for task in tasks {
                        let tx = tx.clone();
                        scope.spawn(move |_| tx.send(task.run()).unwrap_or_default());
                    }
                    drop(tx);
                    rx.iter().for_each(each);
                });
            },
        )
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
