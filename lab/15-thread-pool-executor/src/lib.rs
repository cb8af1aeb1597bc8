//! The same tasks one by one, on a thread each, on a pool by hand, and on rayon's pool.

pub mod crowd;

use measure::workload;
use std::{num::NonZeroUsize, sync::mpsc, thread, time::Duration};

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
}

/// The number of a task, and the result of its steps: 0 for a wait.
pub type Done = (usize, u64);

impl Task {
    /// Does the task on the calling thread.
    pub fn run(self) -> Done {
        let number = self.number;
        match self.load {
            Load::Wait(duration) => {
                workload::io_wait_blocking(duration);
                (number, 0)
            }
            Load::Work(steps) => (number, work(number as u64, steps)),
        }
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
pub fn run_thread_per_task(tasks: &[Task], each: impl FnMut(Done)) {
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for task in tasks {
            let tx = tx.clone();
            scope.spawn(move || tx.send(task.run()));
        }
        // From here on the channel closes with the last thread.
        drop(tx);
        rx.iter().for_each(each);
    });
}

/// Starts a pool of `workers` threads for the tasks; `each` is called as they complete.
pub fn run_on_pool(workers: NonZeroUsize, tasks: &[Task], each: impl FnMut(Done)) {
    // A channel that many can receive from is all that a pool needs: each task goes to one worker.
    let (task_tx, task_rx) = crossbeam::channel::unbounded();
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..workers.get() {
            let (task_rx, tx) = (task_rx.clone(), tx.clone());
            scope.spawn(move || {
                let done = task_rx.iter().map(|task: &Task| task.run());
                done.for_each(|one| tx.send(one).unwrap_or_default());
            });
        }
        for task in tasks {
            task_tx
                .send(task)
                .expect("this function has a receiver, too");
        }
        // The queue ends behind the last task, and with it each worker.
        drop((task_tx, tx));
        rx.iter().for_each(each);
    });
}

/// Has rayon start a pool of `workers` threads; `each` is called as the tasks complete.
///
/// # Panics
/// If the system refuses to start a thread.
pub fn run_on_rayon(workers: NonZeroUsize, tasks: &[Task], each: impl FnMut(Done)) {
    let (tx, rx) = mpsc::channel();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers.get());
    let hand_out = |pool: &rayon::ThreadPool| {
        pool.in_place_scope(|scope| {
            for task in tasks {
                let tx = tx.clone();
                scope.spawn(move |_| tx.send(task.run()).unwrap_or_default());
            }
            drop(tx);
            rx.iter().for_each(each);
        });
    };
    // Scoped, so that its threads are joined here, as those of the other ways are.
    pool.build_scoped(|thread| thread.run(), hand_out)
        .expect("rayon starts its threads");
}

#[cfg(test)]
mod tests;
