//! The flags of this step.

use crate::programs::STEPS;
use common::{
    cli::{Usage, up_to},
    format,
};
use interleave::{NoSchedule, Schedule};
use serde::Serialize;
use std::num::NonZeroUsize;

/// Most increments in all trials together: a race of this length ends within minutes.
const MOST_INCREMENTS: usize = 500_000_000;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Race with this many threads, 1 to 64; a single one has no other to race with
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>)]
    pub(crate) threads: NonZeroUsize,

    /// Let each thread add one this often, 1 to 10,000,000
    #[arg(long, value_name = "N", default_value = "100_000", value_parser = up_to::<10_000_000>)]
    pub(crate) increments: NonZeroUsize,

    /// Repeat each race this often, 1 to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    pub(crate) trials: NonZeroUsize,

    /// Force this order of loads and stores on real threads, and nothing else: ABBA
    ///
    /// A letter is a step of that thread. Each increment has two, load and store, and all threads
    /// make equally many.
    #[arg(long, value_name = "ORDER", value_parser = parse_schedule,
          conflicts_with_all = ["threads", "increments", "trials"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<Schedule>,
}

fn parse_schedule(text: &str) -> Result<Schedule, NoSchedule> {
    let schedule: Schedule = text.parse()?;
    schedule.repeats_of(STEPS)?;
    Ok(schedule)
}

impl Args {
    /// All trials together must not make too many increments.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (threads, increments, trials) = (self.threads, self.increments, self.trials);
        let all = threads.get() * increments.get() * trials.get();
        if all <= MOST_INCREMENTS {
            return Ok(());
        }
        Err(Usage(format!(
            "`--threads {threads} --increments {increments} --trials {trials}` is {} increments, \
             more than {}; lower one of the three",
            format::count(all as u64),
            format::count(MOST_INCREMENTS as u64)
        )))
    }
}
