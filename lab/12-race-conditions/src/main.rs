//! Shows how often a race is lost, and why: by trials, by all schedules, and by a model checker.

mod odds;
mod orders;

use common::{
    Lab, Step,
    cli::{Usage, up_to},
    format,
};
use interleave::{NoSchedule, Schedule};
use lab_12_race_conditions::{
    programs::{Counter, STEPS},
    trials::Race,
};
use serde::{Serialize, Serializer};
use std::{num::NonZeroUsize, process::ExitCode};

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

/// Most increments in all trials together: a race of this length ends within minutes.
const MOST_INCREMENTS: u64 = 500_000_000;

/// Most schedules that are listed; four threads with one increment each have 2,520.
const MOST_LISTED: u64 = 3_000;

/// Most increments of a program that is listed: a thread alone has one schedule, however long.
const MOST_ADDED: usize = 32;

/// How to race.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct RaceArgs {
    /// Race with this many threads, 1 to 64; a single one has no other to race with
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>,
          allow_negative_numbers = true)]
    threads: NonZeroUsize,

    /// Let each thread add one this often, 1 to 10,000,000
    ///
    /// Where the schedules of these threads and increments can be listed (up to 3,000), they are: two
    /// threads with 1, 2 or 3 increments, three or four with 1. Otherwise those of two threads with
    /// one increment each are.
    #[arg(long, value_name = "N", default_value = "100_000", value_parser = up_to::<10_000_000>,
          allow_negative_numbers = true)]
    increments: NonZeroUsize,

    /// Repeat each race this often for the tables of outcomes, 1 to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    trials: NonZeroUsize,

    /// Force this order of loads and stores on real threads, and nothing else: ABBA
    ///
    /// A letter is a step of that thread. Each increment has two, load and store, and all threads
    /// make equally many.
    #[arg(long, value_name = "ORDER", value_parser = parse_schedule,
          conflicts_with_all = ["threads", "increments", "trials"])]
    schedule: Option<Schedule>,
}

fn parse_schedule(text: &str) -> Result<Schedule, NoSchedule> {
    let schedule: Schedule = text.parse()?;
    schedule.repeats_of(STEPS)?;
    Ok(schedule)
}

impl Serialize for RaceArgs {
    /// The values as used: a written schedule leaves no use for the others.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.schedule {
            Some(schedule) => serializer.collect_map([("schedule", schedule)]),
            None => serializer.collect_map([
                ("threads", self.threads),
                ("increments", self.increments),
                ("trials", self.trials),
            ]),
        }
    }
}

impl RaceArgs {
    /// The race that the flags ask for.
    ///
    /// # Errors
    /// All trials together would make too many increments.
    fn race(&self) -> Result<Race, Usage> {
        let (threads, increments, trials) = (self.threads, self.increments, self.trials);
        let race = Race {
            threads,
            increments: increments.get() as u64,
        };
        let all = race.expected() * trials.get() as u64;
        if all <= MOST_INCREMENTS {
            return Ok(race);
        }
        Err(Usage(format!(
            "`--threads {threads} --increments {increments} --trials {trials}` is {} increments, \
             more than {}; lower one of the three",
            format::count(all),
            format::count(MOST_INCREMENTS)
        )))
    }
}

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
