//! The flags of this step.

use common::cli::{RoundsArgs, Usage, increments_up_to, up_to};
use lab_07_locks::Plan;
use serde::Serialize;
use std::num::NonZeroUsize;

/// How to count.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct CountArgs {
    /// Count with this many workers, 1 to 64
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<64>)]
    threads: NonZeroUsize,

    /// Let each worker add one this often, 1 to 100,000,000; the script has 100,000
    ///
    /// With few increments the starting of the threads takes longer than the counting, and the cost
    /// per increment says little.
    #[arg(long, value_name = "N", default_value = "10_000_000", value_parser = up_to::<100_000_000>)]
    increments: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}

impl CountArgs {
    /// The plan that the flags ask for.
    ///
    /// # Errors
    /// All rounds together would make too many increments.
    pub(crate) fn plan(&self) -> Result<Plan, Usage> {
        let repeats = ("--rounds", self.rounds.rounds);
        increments_up_to(2_000_000_000, self.threads, self.increments, repeats)?;
        Ok(Plan {
            threads: self.threads,
            increments: self.increments.get() as u64,
        })
    }
}
