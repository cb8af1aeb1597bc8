//! The flags of this step.

use common::cli::{RoundsArgs, up_to};
use serde::Serialize;
use std::{num::NonZeroUsize, path::PathBuf};

#[derive(clap::Args, Debug, Serialize)]
pub(crate) struct Args {
    /// Products that each of the two jobs adds up: the script's WORK
    #[arg(long, value_name = "N", default_value = "5_000_000", value_parser = up_to::<1_000_000_000>)]
    pub(crate) work: NonZeroUsize,

    /// How many times WORK a job in Rust does, because Rust is that much faster
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<10_000>)]
    pub(crate) scale: NonZeroUsize,

    /// Milliseconds that a thread waits for the emulated GIL before it asks for it; CPython's are 5
    #[arg(long, value_name = "MS", default_value = "5", value_parser = up_to::<10_000>)]
    #[serde(rename = "switch_interval_ms")]
    pub(crate) switch_interval: NonZeroUsize,

    /// The Python to compare with, perhaps one without a GIL; otherwise the PATH's python3, if any
    #[arg(long, value_name = "PATH", conflicts_with = "no_python")]
    #[serde(skip)]
    pub(crate) python: Option<PathBuf>,

    /// Leave Python out
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_python: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}
