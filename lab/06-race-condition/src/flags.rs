//! The flags of this step.

use common::cli::{Usage, increments_up_to, up_to};
use interleave::play::PlayArgs;
use lab_06_race_condition::Race;
use serde::Serialize;
use std::num::NonZeroUsize;

/// How to race.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct RaceArgs {
    /// Race with this many threads, 1 to 64; a single one has no other to race with
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<64>)]
    threads: NonZeroUsize,

    /// Let each thread add one this often, 1 to 10,000,000; fewer make the bug rarer
    #[arg(long, value_name = "N", default_value = "100_000", value_parser = up_to::<10_000_000>)]
    increments: NonZeroUsize,

    /// Repeat the race this often for the table of outcomes, 1 to 1000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    pub(crate) trials: NonZeroUsize,

    #[command(flatten)]
    #[serde(skip)]
    play: PlayArgs,
}

impl RaceArgs {
    /// The race that the flags ask for.
    ///
    /// # Errors
    /// All trials together would make too many increments.
    pub(crate) fn race(&self) -> Result<Race, Usage> {
        let repeats = ("--trials", self.trials);
        increments_up_to(500_000_000, self.threads, self.increments, repeats)?;
        Ok(Race {
            threads: self.threads,
            increments: self.increments.get() as u64,
        })
    }
}
