//! The tasks in four ways that take turns, and the order in which results came.

use crate::args::Args;
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_15_thread_pool_executor::{
    Done, Task, run_on_pool, run_on_rayon, run_one_by_one, run_thread_per_task,
};
use serde::Serialize;
use std::{io, num::NonZeroUsize};

pub(crate) const ONE_BY_ONE: &str = "one by one";
pub(crate) const THREAD_PER_TASK: &str = "thread per task";
pub(crate) const POOL: &str = "pool by hand";
pub(crate) const RAYON: &str = "rayon";

/// Results in the order in which they were ready.
#[derive(Serialize)]
pub(crate) struct Completed {
    pub(crate) in_order: Vec<Done>,
    /// How many of them were ahead of one that had been asked for earlier.
    pub(crate) overtaking: usize,
}

impl From<Vec<Done>> for Completed {
    fn from(in_order: Vec<Done>) -> Self {
        let later = |place: usize| in_order[place + 1..].iter();
        let overtakes =
            |place: &usize| later(*place).any(|one| one.number < in_order[*place].number);
        Self {
            overtaking: (0..in_order.len()).filter(overtakes).count(),
            in_order,
        }
    }
}

/// Runs each way once per round.
pub(crate) fn measure(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (tasks, workers) = (args.waits(lab.seed()), args.workers);
    let (count, rounds) = (tasks.len(), args.rounds());
    lab.say(format!(
        "{count} tasks that wait; a pool has {workers} threads"
    ));
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds}: each way once …"));
        run(lab, ONE_BY_ONE, 1, &tasks, |each| {
            run_one_by_one(&tasks, each);
            Ok(())
        })?;
        run(lab, THREAD_PER_TASK, count, &tasks, |each| {
            run_thread_per_task(&tasks, each)
        })?;
        let pooled = run(lab, POOL, workers.get(), &tasks, |each| {
            run_on_pool(workers, &tasks, each)
        })?;
        run(lab, RAYON, workers.get(), &tasks, |each| {
            run_on_rayon(workers, &tasks, each)
        })?;
        if round == rounds {
            say_order(lab, workers, &pooled);
        }
    }
    Ok(())
}

fn run(
    lab: &mut Lab,
    name: &str,
    at_once: usize,
    tasks: &[Task],
    way: impl FnOnce(&mut dyn FnMut(Done)) -> io::Result<()>,
) -> anyhow::Result<Completed> {
    let bound = Bound::Waits {
        each: None,
        count: tasks.len(),
        at_once,
    };
    lab.variant(name).bound(bound).run_counted(
        || {
            let mut in_order = Vec::with_capacity(tasks.len());
            way(&mut |done| in_order.push(done)).with_context(|| {
                format!(
                    "{name}: cannot start `{at_once}` threads; take fewer with --tasks or --workers"
                )
            })?;
            Ok(Completed::from(in_order))
        },
        |done| tally(tasks, &done.in_order),
    )
}

/// Counts the tasks whose result came, once and right.
pub(crate) fn tally(tasks: &[Task], done: &[Done]) -> Tally {
    let mut numbers: Vec<usize> = done.iter().map(|done| done.number).collect();
    numbers.sort_unstable();
    let came_once = |task: &Task| {
        let from = numbers.partition_point(|number| *number < task.number);
        let to = numbers.partition_point(|number| *number <= task.number);
        to - from == 1
    };
    Tally::of_checked(tasks, came_once)
}

/// Prints the numbers of the tasks as their results came, as the script prints each.
fn say_order(lab: &Lab, workers: NonZeroUsize, pooled: &Completed) {
    const SHOWN: usize = 20;
    let numbers = pooled.in_order.iter().map(|done| done.number.to_string());
    let mut order: Vec<String> = numbers.take(SHOWN).collect();
    if pooled.in_order.len() > SHOWN {
        order.push("…".into());
    }
    lab.say(format!("as they completed, on the pool of {workers}:"));
    lab.say(format!("  task {}", order.join(" ")));
    lab.say(format!(
        "  ahead of one asked for earlier: {} of {}",
        format::count(pooled.overtaking as u64),
        format::count(pooled.in_order.len() as u64)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_15_thread_pool_executor::Load;

    fn done(numbers: &[usize]) -> Vec<Done> {
        let one = |number: &usize| Done {
            number: *number,
            value: 0,
        };
        numbers.iter().map(one).collect()
    }

    #[test]
    fn overtaking_is_counted_by_those_that_were_overtaken_later() {
        let overtaking = |numbers: &[usize]| Completed::from(done(numbers)).overtaking;
        assert_eq!(overtaking(&[]), 0);
        assert_eq!(overtaking(&[1, 2, 3]), 0);
        assert_eq!(overtaking(&[2, 3, 1]), 2);
        assert_eq!(overtaking(&[3, 2, 1]), 2);
    }

    #[test]
    fn a_result_that_is_missing_or_comes_twice_is_not_done() {
        let tasks = [1, 2, 3].map(|number| Task {
            number,
            load: Load::Little(0),
        });
        let counts = |numbers: &[usize]| {
            let tally = tally(&tasks, &done(numbers));
            (tally.done, tally.failed)
        };
        assert_eq!(counts(&[3, 1, 2]), (3, 0));
        assert_eq!(counts(&[1, 1, 2]), (1, 2));
        assert_eq!(counts(&[]), (0, 3));
    }
}
