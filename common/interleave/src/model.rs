//! The same program under a model checker, which tries every order of its steps.
//!
//! The checker is shuttle with its depth-first scheduler: it runs a program again and again on
//! threads of its own making, and before each step takes the next choice of who goes on, until there
//! is none left.

use crate::{Played, Race, Schedule, Step};
use shuttle::{Config, Runner, scheduler::DfsScheduler, thread};
use std::{
    cell::Cell,
    collections::BTreeSet,
    mem, panic,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::subscriber::{NoSubscriber, with_default};

/// The most runs of one program: far past what a program of a few steps needs.
const MOST_RUNS: usize = 200_000;

/// What the checker found out about one program.
#[derive(Clone, Debug)]
pub struct Explored {
    /// How often it ran the program, starts and ends of threads in every order included.
    pub runs: usize,
    /// Whether no choice was left untried.
    pub complete: bool,
    /// What each order of the steps did and came to, in alphabetical order.
    pub played: Vec<Played>,
}

impl Explored {
    /// The orders in which something else came out than should have.
    pub fn failing(&self) -> impl Iterator<Item = &Played> {
        self.played.iter().filter(|one| one.is_wrong())
    }
}

/// Has the model checker run `program` in every order of its steps.
///
/// The answer holds for its model: one step at a time, and what a step leaves is seen by all at once.
/// What a compiler or a CPU may reorder within or between steps, it does not try.
pub fn explore<S: Send + Sync + 'static>(program: Race<S>) -> Explored {
    let found: Arc<Mutex<BTreeSet<Played>>> = Arc::default();
    let notes = Arc::clone(&found);
    let run = move || {
        let played = play(&program);
        open(&notes).insert(played);
    };
    let scheduler = DfsScheduler::new(Some(MOST_RUNS), false);
    // The checker opens spans of its own, which are no part of the caller's recording, and sets a
    // panic hook, which is for its runs alone.
    let hook = panic::take_hook();
    let runs = with_default(NoSubscriber::default(), || {
        Runner::new(scheduler, Config::new()).run(run)
    });
    panic::set_hook(hook);
    let played = mem::take(&mut *open(&found)).into_iter().collect();
    Explored {
        runs,
        complete: runs < MOST_RUNS,
        played,
    }
}

/// Runs it once, on the checker's threads and in the order that it chooses.
fn play<S: Send + Sync>(program: &Race<S>) -> Played {
    let (shared, steps) = ((program.share)(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..program.threads {
            let (shared, steps) = (&shared, &steps);
            scope.spawn(move || {
                let mine = Cell::new(None);
                let end_step = || {
                    if let Some(at) = mine.take() {
                        let step: &mut Step = &mut open(steps)[at];
                        step.value = (program.value)(shared, step.name);
                    }
                };
                (program.run)(shared, number, &|name| {
                    end_step();
                    // Here the checker chooses who goes on; nothing else switches threads.
                    thread::yield_now();
                    let mut steps = open(steps);
                    mine.set(Some(steps.len()));
                    steps.push(Step::begun(number, name));
                });
                end_step();
            });
        }
    });
    let steps = mem::take(&mut *open(&steps));
    Played {
        schedule: Schedule::of(steps.iter().map(|step| step.thread).collect()),
        steps,
        result: (program.result)(&shared),
        expected: program.expected,
    }
}

/// Opens what no switch of threads can leave locked.
fn open<T>(notes: &Mutex<T>) -> MutexGuard<'_, T> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Turn, force};
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    /// Threads that add one in two steps.
    pub(crate) fn counter(threads: usize, increments: usize) -> Race<AtomicI64> {
        let run = move |counter: &AtomicI64, _thread, turn: Turn<'_>| {
            for _ in 0..increments {
                turn("loads");
                let seen = counter.load(SeqCst);
                turn("stores");
                counter.store(seen + 1, SeqCst);
            }
        };
        Race {
            threads,
            share: || AtomicI64::new(0),
            run: Box::new(run),
            value: |counter, _step| counter.load(SeqCst),
            result: |counter| counter.load(SeqCst),
            expected: (threads * increments) as i64,
        }
    }

    #[test]
    fn the_checker_finds_what_is_listed_and_forced() {
        for (threads, increments) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
            let all = Schedule::all(&vec![2 * increments; threads]);
            let explored = explore(counter(threads, increments));
            assert!(explored.complete && explored.runs >= all.len());
            assert_eq!(explored.played, force(&counter(threads, increments), &all));
        }
    }

    #[test]
    fn four_of_six_orders_lose_an_update() {
        let explored = explore(counter(2, 1));
        let failing: Vec<String> = (explored.failing())
            .map(|one| one.schedule.to_string())
            .collect();
        assert_eq!(failing, ["ABAB", "ABBA", "BAAB", "BABA"]);
    }
}
