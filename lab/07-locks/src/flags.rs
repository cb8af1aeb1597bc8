//! The flags of this step.

use common::{
    cli::{RoundsArgs, Usage, up_to},
    format,
};
use lab_07_locks::Plan;
use serde::Serialize;
use std::num::NonZeroUsize;

/// Most increments of one variant in all rounds together: a run of this length ends within minutes.
const MOST_INCREMENTS: u64 = 2_000_000_000;

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
        let (threads, increments, rounds) = (self.threads, self.increments, self.rounds.rounds);
        let plan = Plan {
            threads,
            increments: increments.get() as u64,
        };
        let all = plan.expected() * rounds.get() as u64;
        if all <= MOST_INCREMENTS {
            return Ok(plan);
        }
        Err(Usage(format!(
            "`--threads {threads} --increments {increments} --rounds {rounds}` is {} increments, \
             more than {}; lower one of the three",
            format::count(all),
            format::count(MOST_INCREMENTS)
        )))
    }
}
