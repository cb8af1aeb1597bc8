//! The flags of this step.

use common::cli;
use serde::Serialize;
use std::num::NonZeroUsize;

#[derive(clap::Args, Debug, Serialize)]
pub(crate) struct Args {
    /// Steps that each of the two jobs counts down: the script's WORK
    #[arg(long, value_name = "N", default_value = "5_000_000", value_parser = cli::up_to::<1_000_000_000>)]
    pub(crate) work: NonZeroUsize,

    /// How many times WORK a job does, because Rust counts that much faster; 1 is the script's
    #[arg(long, value_name = "N", default_value = "100", value_parser = cli::up_to::<10_000>)]
    pub(crate) scale: NonZeroUsize,

    /// In the end, let one of the two jobs crash half-way in its process
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) crash: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: cli::RoundsArgs,
}
