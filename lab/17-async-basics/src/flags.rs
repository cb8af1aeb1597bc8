//! The flags of this step.

use common::cli::{RoundsArgs, Seconds, up_to};
use serde::Serialize;
use std::num::NonZeroUsize;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Wait for this many answers, 1 to 200
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<200>)]
    pub(crate) tasks: NonZeroUsize,

    /// Seconds that each answer takes
    #[arg(long, value_name = "SECONDS", default_value = "0.2")]
    pub(crate) delay: Seconds,

    /// Steps of each of the two CPU jobs, 1 to 1,000,000,000
    #[arg(long, value_name = "N", default_value = "50_000_000",
          value_parser = up_to::<1_000_000_000>)]
    pub(crate) work: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,

    /// Seconds that a call blocks the executor
    #[arg(long, value_name = "SECONDS", default_value = "0.3")]
    pub(crate) block: Seconds,

    /// Messages that are read while reads are dropped, 1 to 1,000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    pub(crate) messages: NonZeroUsize,
}
