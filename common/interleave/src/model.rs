//! The same program under a model checker, which tries every order of its steps.
//!
//! The checker is shuttle with its depth-first scheduler: it runs a program again and again on
//! threads of its own making, and before each step takes the next choice of who goes on, until there
//! is none left.

use crate::{Race, Run, Schedule, Stand, Step};
use parking_lot::Mutex;
use shuttle::{Config, Runner, scheduler::DfsScheduler, thread};
use std::{cell::Cell, collections::BTreeSet, mem, panic, sync::Arc};
use tracing::subscriber::{NoSubscriber, with_default};

/// Has the model checker run `race` in every order of its steps: what each did and came to, in alphabetical
/// order.
///
/// The answer holds for its model: one step at a time, and what a step leaves is seen by all at once.
/// What a compiler or a CPU may reorder within or between steps, it does not try.
pub fn explore<S: Send + Sync + 'static>(race: Race<S>) -> Vec<Run> {
    let found: Arc<Mutex<BTreeSet<Run>>> = Arc::default();
    let notes = Arc::clone(&found);
    let run = move || {
        let played = play(&race);
        notes.lock().insert(played);
    };
    let scheduler = DfsScheduler::new(None, false);
    // The checker opens spans of its own, which are no part of the caller's recording, and sets a
    // panic hook, which is for its runs alone.
    let hook = panic::take_hook();
    with_default(NoSubscriber::default(), || {
        Runner::new(scheduler, Config::new()).run(run)
    });
    panic::set_hook(hook);
    mem::take(&mut *found.lock()).into_iter().collect()
}

/// Those in which something else came out than should have.
pub fn failing(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|one| one.is_wrong())
}

/// Runs it once, on the checker's threads and in the order that it chooses.
fn play<S: Send + Sync>(race: &Race<S>) -> Run {
    let (shared, steps) = ((race.share)(), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..race.threads {
            let (shared, steps) = (&shared, &steps);
            scope.spawn(move || {
                let mine = Cell::new(None);
                let end_step = || {
                    if let Some(at) = mine.take() {
                        let step: &mut Step = &mut steps.lock()[at];
                        step.value = (race.value)(shared, step.name);
                    }
                };
                (race.run)(shared, number, &|name| {
                    end_step();
                    // Here the checker chooses who goes on; nothing else switches threads.
                    thread::yield_now();
                    let mut steps = steps.lock();
                    mine.set(Some(steps.len()));
                    steps.push(Step {
                        thread: number,
                        name,
                        value: 0,
                    });
                });
                end_step();
            });
        }
    });
    let steps = mem::take(&mut *steps.lock());
    Run {
        schedule: Schedule::of(steps.iter().map(|step| step.thread).collect()),
        steps,
        stands: vec![Stand::Finished; race.threads],
        result: Some((race.result)(&shared)),
        expected: race.expected,
    }
}
