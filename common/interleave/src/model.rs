//! The same program under a model checker, which tries every order of its steps.
//!
//! The checker is shuttle with its depth-first scheduler: it runs a program again and again on
//! threads of its own making, and before each step takes the next choice of who goes on, until there
//! is none left.

use crate::{Played, Race, Schedule, Step, open};
use shuttle::{Config, Runner, scheduler::DfsScheduler, thread};
use std::{
    cell::Cell,
    collections::BTreeSet,
    mem, panic,
    sync::{Arc, Mutex},
};
use tracing::subscriber::{NoSubscriber, with_default};

/// Has the model checker run `race` in every order of its steps: what each did and came to, in alphabetical
/// order.
///
/// The answer holds for its model: one step at a time, and what a step leaves is seen by all at once.
/// What a compiler or a CPU may reorder within or between steps, it does not try.
pub fn explore<S: Send + Sync + 'static>(race: Race<S>) -> Vec<Played> {
    let found: Arc<Mutex<BTreeSet<Played>>> = Arc::default();
    let notes = Arc::clone(&found);
    let run = move || {
        let played = play(&race);
        open(&notes).insert(played);
    };
    let scheduler = DfsScheduler::new(None, false);
    // The checker opens spans of its own, which are no part of the caller's recording, and sets a
    // panic hook, which is for its runs alone.
    let hook = panic::take_hook();
    with_default(NoSubscriber::default(), || {
        Runner::new(scheduler, Config::new()).run(run)
    });
    panic::set_hook(hook);
    mem::take(&mut *open(&found)).into_iter().collect()
}

/// Those in which something else came out than should have.
pub fn failing(played: &[Played]) -> impl Iterator<Item = &Played> {
    played.iter().filter(|one| one.is_wrong())
}

/// Runs it once, on the checker's threads and in the order that it chooses.
fn play<S: Send + Sync>(race: &Race<S>) -> Played {
    let (shared, steps) = ((race.share)(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..race.threads {
            let (shared, steps) = (&shared, &steps);
            scope.spawn(move || {
                let mine = Cell::new(None);
                let end_step = || {
                    if let Some(at) = mine.take() {
                        let step: &mut Step = &mut open(steps)[at];
                        step.value = (race.value)(shared, step.name);
                    }
                };
                (race.run)(shared, number, &|name| {
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
        result: (race.result)(&shared),
        expected: race.expected,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Turn, force};
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    /// Threads that add one in two steps.
    pub(crate) fn counter(threads: usize, increments: usize) -> Race<AtomicI64> {
        let add = move |counter: &AtomicI64, _, turn: Turn<'_>| {
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
            run: Box::new(add),
            value: |counter, _| counter.load(SeqCst),
            result: |counter| counter.load(SeqCst),
            expected: (threads * increments) as i64,
        }
    }

    #[test]
    fn the_checker_finds_what_is_listed_and_forced() {
        for (threads, increments) in [(1, 1), (2, 1), (2, 2), (3, 1)] {
            let all = Schedule::all(&vec![2 * increments; threads]);
            let forced = force(&counter(threads, increments), &all);
            assert_eq!(explore(counter(threads, increments)), forced);
        }
    }

    #[test]
    fn four_of_six_orders_lose_an_update() {
        let explored = explore(counter(2, 1));
        let failing = failing(&explored).map(|one| one.schedule.to_string());
        let failing: Vec<String> = failing.collect();
        assert_eq!(failing, ["ABAB", "ABBA", "BAAB", "BABA"]);
    }
}
