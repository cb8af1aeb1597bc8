//! Shows how often a race is lost, and why: by trials, by all schedules, and by a model checker.

mod args;
mod banking;
mod checking;
mod claims;
mod counting;
mod listing;
mod scheduling;

use args::{RaceArgs, to_list};
use common::{Lab, Step};
use lab_12_race_conditions::program::Program;
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/02_race_conditions.py"],
    question: "how often is a race lost, and why?",
    why: "Threads may take turns after any step. Which turns they take is for timing to decide: how \
          wide the window between two steps is, how many CPUs there are, what else they do. Some \
          schedules break what should hold and some do not, so trials tell how often, never \
          whether. Whether, a list of all schedules tells, for a program small enough. A repair \
          makes one step of what must not be torn apart: then the bad schedules do not exist.",
    try_next: &[
        "cargo run -p lab-12-race-conditions -- --schedule ABBA: force one order, step by step",
        "cargo run -p lab-12-race-conditions -- --threads 3 --increments 1: all 90 schedules",
        "cargo run -p lab-12-race-conditions -- --threads 2 --increments 2: which of the 70 end in 2?",
        "taskset -c 0 cargo run -p lab-12-race-conditions: which columns move on one CPU?",
        "cargo run -p lab-13-locks-and-rlock: what the repairs cost",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &RaceArgs, lab: &mut Lab) -> anyhow::Result<()> {
    if let Some(schedule) = &args.schedule {
        scheduling::force_one(lab, schedule)?;
        claims::add_forced(lab);
        return Ok(());
    }
    let (race, trials) = (args.race()?, args.trials.get());
    counting::race_for_a_counter(lab, race, trials)?;
    claims::add_odds(lab, race, trials);

    let asked = Program {
        threads: race.threads,
        increments: race.increments,
    };
    let program = to_list(asked);
    scheduling::list_schedules(lab, asked, program)?;
    claims::add_forced(lab);

    banking::race_for_an_account(lab, trials)?;
    banking::race_for_an_audit(lab, trials)?;
    claims::add_bank(lab);

    let same_program = checking::check_all_orders(lab, program)?;
    claims::add_checked(lab, same_program);
    Ok(())
}
