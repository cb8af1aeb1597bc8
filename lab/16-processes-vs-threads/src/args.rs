//! The flags of this step, and the jobs that they ask for.

use common::cli::{RoundsArgs, Seconds, seconds_up_to, up_to};
use lab_16_processes_vs_threads::Job;
use serde::Serialize;
use std::num::NonZeroUsize;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Threads in the one pool, processes in the other, 1 to 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>)]
    pub(crate) workers: NonZeroUsize,

    /// Jobs to do, 1 to 100
    #[arg(long, value_name = "N", default_value = "8", value_parser = up_to::<100>)]
    pub(crate) jobs: NonZeroUsize,

    /// Steps of CPU work in a job, 1 to 200,000,000; the sweep starts at a 1024th of that
    #[arg(long, value_name = "N", default_value = "20_000_000",
          value_parser = up_to::<200_000_000>)]
    pub(crate) work: NonZeroUsize,

    /// How long a job of I/O waits, up to 10 s
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = seconds_up_to::<10>)]
    #[serde(rename = "wait_s")]
    pub(crate) wait: Seconds,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}

/// Jobs of CPU work, each with a seed of its own.
pub(crate) fn compute_jobs(count: usize, steps: usize, seed: u64) -> Vec<Job> {
    let steps = steps as u64;
    let seeds = (0..count as u64).map(|number| seed.wrapping_add(number));
    seeds.map(|seed| Job::Compute { seed, steps }).collect()
}
