//! Shows how often a race is lost, and why: by trials, by all schedules, and by a model checker.

mod args;
mod odds;
mod orders;

use args::RaceArgs;
use common::{Lab, Step};
use lab_12_race_conditions::programs::Counter;
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/02_race_conditions.py"],
    question: "how often is a race lost, and why?",
    why: "Threads may take turns after any step. Which turns they take depends on timing: how wide the \
          window between two steps is, how many CPUs there are, what else they do. Some schedules \
          break what should hold and some do not, so trials show how often, never whether. Whether, a \
          list of all schedules shows, for a program small enough. A repair makes one step of what \
          belongs together: then the bad schedules do not exist.",
    try_next: &[
        "cargo run -p lab-12-race-conditions -- --schedule ABBA: force one order, step by step",
        "cargo run -p lab-12-race-conditions -- --threads 3 --increments 1: all 90 schedules",
        "cargo run -p lab-12-race-conditions -- --threads 2 --increments 2: which of the 70 end in 2?",
        "taskset -c 0 cargo run -p lab-12-race-conditions: which columns change on one CPU?",
        "cargo run -p lab-13-locks-and-rlock: what the repairs cost",
    ],
};

/// Most schedules that are listed; four threads with one increment each have 2,520.
const MOST_LISTED: u64 = 3_000;

/// Most increments of a program that is listed: a thread alone has one schedule, however long.
const MOST_ADDED: usize = 32;

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &RaceArgs, lab: &mut Lab) -> anyhow::Result<()> {
    if let Some(schedule) = &args.schedule {
        return orders::force_one(lab, schedule);
    }
    let (race, trials) = (args.race()?, args.trials.get());
    let odds = odds::race_for_a_counter(lab, race, trials)?;

    let asked = Counter {
        threads: race.threads.get(),
        increments: race.increments as usize,
        repaired: false,
    };
    let is_short = asked.schedules().up_to(MOST_LISTED).is_some()
        && asked.threads * asked.increments <= MOST_ADDED;
    let listed = if is_short { asked } else { Counter::SMALLEST };
    let losing = orders::list(lab, asked, listed)?;

    odds::race_in_a_bank(lab, trials, odds)?;
    orders::check(lab, listed, losing)
}
