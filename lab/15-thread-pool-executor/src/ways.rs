//! A few tasks in four ways that take turns.

use crate::args::Args;
use common::{
    Bound, Lab, Tally,
    claim::{Claim, count, done, submitted, threads},
};
use lab_15_thread_pool_executor::{
    Done, Load, Task, run_on_pool, run_on_rayon, run_one_by_one, run_thread_per_task,
};
use measure::workload::Seeded;
use std::{collections::BTreeSet, time::Duration};

const ONE_BY_ONE: &str = "one by one";
const THREAD_PER_TASK: &str = "thread per task";
const POOL: &str = "pool by hand";
const RAYON: &str = "rayon";

/// Calls what it gets with each result.
type Way<'a> = &'a dyn Fn(&mut dyn FnMut(Done));

/// Runs each way once per round.
pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (tasks, workers) = (waits(args, lab.seed()), args.workers);
    let (all, rounds, size) = (tasks.len(), args.rounds.get(), workers.get());
    lab.say(format!(
        "{all} tasks that wait, four ways in turns, {rounds} rounds; a pool has {workers} threads …"
    ));
    let ways: [(&str, usize, Way<'_>); 4] = [
        (ONE_BY_ONE, 1, &|each| run_one_by_one(&tasks, each)),
        (THREAD_PER_TASK, all, &|each| {
            run_thread_per_task(&tasks, each)
        }),
        (POOL, size, &|each| run_on_pool(workers, &tasks, each)),
        (RAYON, size, &|each| run_on_rayon(workers, &tasks, each)),
    ];
    let mut ahead = None;
    for round in 1..=rounds {
        for (name, at_once, way) in ways {
            let order = run(lab, name, at_once, &tasks, way)?;
            if name != POOL {
                continue;
            }
            let number = count_overtaking(&order);
            ahead = Some(lab.count(POOL, "results_ahead_of_one_asked_for_earlier", number));
            if round == rounds {
                let order: Vec<String> = order.iter().take(20).map(ToString::to_string).collect();
                lab.explain(format!("results as they came: {}", order.join(" ")));
            }
        }
    }
    let text = "on the pool a result came before one that was asked for earlier";
    let overtaking = Claim::that("overtaking", text);
    lab.claim(overtaking.check(ahead.expect("there is a round").above(count(0))));
    let once = Claim::that(
        "each_once",
        "every way returned the result of each task once",
    );
    let names = ways.into_iter().map(|(name, ..)| name);
    lab.claim(names.fold(once, |claim, way| {
        claim.check(done(way).equals(submitted(way)))
    }));
    let about = "a thread per task beside a pool";
    let sooner = lab.compare("thread_per_task_is_sooner", about, [THREAD_PER_TASK, POOL]);
    let more = threads(THREAD_PER_TASK).above(threads(POOL));
    lab.claim(if all > size {
        sooner.check(more)
    } else {
        sooner
    });
    let alike = lab.compare("pools_are_alike", "two pools of one size", [POOL, RAYON]);
    lab.claim(alike);
    Ok(())
}

/// The tasks: waits of unequal length, the same for the same seed.
fn waits(args: &Args, seed: u64) -> Vec<Task> {
    let mean = args.wait.0;
    let task = |number: usize| {
        let mut random = Seeded::for_item(seed, number as u64);
        // A nanosecond at least, so that the range is never empty.
        let wait = random.duration(mean / 2..mean * 3 / 2 + Duration::from_nanos(1));
        let load = Load::Wait(wait);
        Task { number, load }
    };
    (1..=args.tasks.get()).map(task).collect()
}

/// Runs a way; returns the numbers of the tasks as their results came.
fn run(
    lab: &mut Lab,
    name: &str,
    at_once: usize,
    tasks: &[Task],
    way: Way<'_>,
) -> anyhow::Result<Vec<usize>> {
    let bound = Bound::Waits {
        each: None,
        count: tasks.len(),
        at_once,
    };
    lab.variant(name).bound(bound).run_counted(
        || {
            let mut numbers = Vec::with_capacity(tasks.len());
            way(&mut |done| numbers.push(done.number));
            Ok(numbers)
        },
        |numbers| tally(tasks, numbers),
    )
}

/// A result that came twice is none.
pub(crate) fn tally(tasks: &[Task], numbers: &[usize]) -> Tally {
    let once: BTreeSet<usize> = numbers.iter().copied().collect();
    let came = |task: &Task| once.len() == numbers.len() && once.contains(&task.number);
    Tally::of_checked(tasks, came)
}

/// How many results came before one that had been asked for earlier.
fn count_overtaking(numbers: &[usize]) -> usize {
    let later = |place: usize| numbers[place + 1..].iter();
    let overtakes = |place: &usize| later(*place).any(|number| *number < numbers[*place]);
    (0..numbers.len()).filter(overtakes).count()
}
