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
    remember: "Trials show how often a race goes wrong, never that a program is right. A repair \
              makes one step of what belongs together.",
    predict: (
        "the order A, B, B, A, a step each: is an update lost?",
        "cargo run -p lab-12-race-conditions -- --schedule ABBA",
    ),
    sources: common::sources!["lib.rs", "programs.rs", "trials.rs"],
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
