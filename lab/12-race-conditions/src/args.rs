//! The flags of this step.

use common::{
    cli::{Usage, up_to},
    format,
};
use interleave::{NoSchedule, Schedule};
use lab_12_race_conditions::{programs::STEPS, trials::Race};
use serde::{Serialize, Serializer};
use std::num::NonZeroUsize;

/// Most increments in all trials together: a race of this length ends within minutes.
const MOST_INCREMENTS: u64 = 500_000_000;

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
    pub(crate) trials: NonZeroUsize,

    /// Force this order of loads and stores on real threads, and nothing else: ABBA
    ///
    /// A letter is a step of that thread. Each increment has two, load and store, and all threads
    /// make equally many.
    #[arg(long, value_name = "ORDER", value_parser = parse_schedule,
          conflicts_with_all = ["threads", "increments", "trials"])]
    pub(crate) schedule: Option<Schedule>,
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
    pub(crate) fn race(&self) -> Result<Race, Usage> {
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
