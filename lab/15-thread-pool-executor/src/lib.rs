//! The same tasks one by one, on a thread each, on a pool by hand, and on rayon's pool.

pub mod crowd;
pub mod knee;
pub mod limits;
pub mod pool;

use measure::workload;
use pool::Pool;
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
    /// What came of its steps; 0 for a wait.
    pub value: u64,
}

impl Task {
    /// Does the task on the calling thread.
    pub fn run(self) -> Done {
        let seed = self.number as u64;
        let value = match self.load {
            Load::Wait(duration) => {
                workload::io_wait_blocking(duration);
                0
            }
            Load::Work(steps) => work(seed, steps),
            Load::Little(steps) => workload::mix(seed, steps),
        };
        Done {
            number: self.number,
            value,
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
///
/// # Errors
/// The system refuses to start another thread; those that were started are waited for.
pub fn run_thread_per_task(tasks: &[Task], each: impl FnMut(Done)) -> io::Result<()> {
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        for task in tasks {
            let tx = tx.clone();
            thread::Builder::new()
                .name(format!("thread {}", task.number))
                .spawn_scoped(scope, move || hand_back(&tx, task.run()))?;
        }
        // From here on the channel closes with the last thread.
        drop(tx);
        rx.iter().for_each(each);
        Ok(())
    })
}

fn hand_back(done: &mpsc::Sender<Done>, one: Done) {
    // Nobody listens any more only where starting a later thread has failed.
    let _ = done.send(one);
}

/// Starts a pool of `workers` threads for the tasks; `each` is called as they complete.
///
/// # Errors
/// The system refuses to start another thread.
///
/// # Panics
/// If a task panics.
pub fn run_on_pool(
    workers: NonZeroUsize,
    tasks: &[Task],
    each: impl FnMut(Done),
) -> io::Result<()> {
    let mut pool = Pool::start(workers)?;
    run_on_running_pool(&mut pool, tasks, each);
    Ok(())
}

/// Hands the tasks to a pool that is already running.
///
/// # Panics
/// If a task panics.
pub fn run_on_running_pool(pool: &mut Pool<Done>, tasks: &[Task], mut each: impl FnMut(Done)) {
    for task in tasks.iter().copied() {
        pool.submit(move || task.run());
    }
    for outcome in pool.as_completed() {
        each(outcome.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)));
    }
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
                        scope.spawn(move |_| hand_back(&tx, task.run()));
                    }
                    drop(tx);
                    rx.iter().for_each(each);
                });
            },
        )
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(count: usize) -> Vec<Task> {
        let load = |number: usize| match number % 3 {
            0 => Load::Wait(Duration::from_micros(number as u64)),
            1 => Load::Work(500 * (number % 7) as u64),
            _ => Load::Little(100),
        };
        let task = |number| Task {
            number,
            load: load(number),
        };
        (1..=count).map(task).collect()
    }

    /// What a way brings back, in the order of the tasks.
    fn all(way: impl FnOnce(&mut dyn FnMut(Done))) -> Vec<Done> {
        let mut done = Vec::new();
        way(&mut |one| done.push(one));
        done.sort_by_key(|one| one.number);
        done
    }

    #[test]
    fn every_way_brings_back_each_task_once_and_right() {
        for count in [0, 1, 5, 80] {
            let tasks = tasks(count);
            let expected = all(|each| run_one_by_one(&tasks, each));
            assert!(expected.iter().map(|done| done.number).eq(1..=count));
            let threads = all(|each| run_thread_per_task(&tasks, each).expect("threads start"));
            assert_eq!(threads, expected);
            for workers in (1..=8).filter_map(NonZeroUsize::new) {
                let pool = all(|each| run_on_pool(workers, &tasks, each).expect("threads start"));
                assert_eq!(pool, expected, "pool of {workers}");
                let rayon = all(|each| run_on_rayon(workers, &tasks, each).expect("threads start"));
                assert_eq!(rayon, expected, "rayon on {workers}");
            }
        }
    }

    #[test]
    fn a_short_task_asked_for_later_comes_back_first() {
        let wait = |number, seconds| Task {
            number,
            load: Load::Wait(Duration::from_secs_f64(seconds)),
        };
        // Long against anything that keeps a thread from starting; it is not waited out in full.
        let tasks = [wait(1, 1.0), wait(2, 0.0)];
        let two = NonZeroUsize::new(2).expect("not zero");
        let mut order = Vec::new();
        run_thread_per_task(&tasks, |done| order.push(done.number)).expect("threads start");
        run_on_pool(two, &tasks, |done| order.push(done.number)).expect("threads start");
        run_on_rayon(two, &tasks, |done| order.push(done.number)).expect("threads start");
        assert_eq!(order, [2, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn a_running_pool_can_be_used_again_and_again() {
        let mut pool = Pool::start(NonZeroUsize::MIN).expect("a thread starts");
        for count in [3, 0, 5] {
            let mut seen = 0;
            run_on_running_pool(&mut pool, &tasks(count), |_| seen += 1);
            assert_eq!(seen, count);
        }
    }
}
