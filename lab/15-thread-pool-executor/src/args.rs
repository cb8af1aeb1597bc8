//! The flags of this step.

use common::cli::{Seconds, parse_workers, seconds_up_to, up_to};
use serde::Serialize;
use std::num::NonZeroUsize;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Tasks to do, 1 to 1,000; for one way of doing them each gets a thread of its own
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    pub(crate) tasks: NonZeroUsize,

    /// Threads in the pool, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = parse_workers)]
    pub(crate) workers: NonZeroUsize,

    /// How long a task waits on average, up to 10 s; each half to one and a half times that
    #[arg(long, value_name = "SECONDS", default_value = "0.02", value_parser = seconds_up_to::<10>)]
    #[serde(rename = "wait_s")]
    pub(crate) wait: Seconds,

    /// Sweep the pool's size from 1, doubling, up to N threads, 1 to 256
    #[arg(long, value_name = "N", default_value = "32", value_parser = up_to::<256>)]
    pub(crate) largest: NonZeroUsize,

    /// How many tasks are very many, 1 to 50,000
    #[arg(long, value_name = "N", default_value = "10_000", value_parser = up_to::<50_000>)]
    pub(crate) many: NonZeroUsize,

    /// Run all ways this often, taking turns; the middle run is shown, with the spread
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<1000>)]
    pub(crate) rounds: NonZeroUsize,
}
