//! The flags of this step.

use common::cli::{Seconds, Usage, WORKERS_LIMIT, up_to};
use serde::Serialize;
use std::num::NonZeroUsize;
use web::venue::Market;

/// Past this, one machine has no ports left for the clients.
const MOST_IN_FLIGHT: usize = 20_000;

/// What to ask for, and how.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Trades of each of the five pairs, 1 to 1,000
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<1000>)]
    pub(crate) repeats: NonZeroUsize,

    /// Trades at a time on either side, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<WORKERS_LIMIT>)]
    pub(crate) workers: NonZeroUsize,

    /// Then so many in flight at once, two rows each, 1 to 20,000
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10,100,1000,10000",
          value_parser = up_to::<MOST_IN_FLIGHT>)]
    pub(crate) sweep: Vec<NonZeroUsize>,

    /// Make the first trades this often, taking turns, 1 to 100; each row runs once
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<100>)]
    pub(crate) rounds: NonZeroUsize,

    /// Stack of each waiting thread, 1 to 8,192 KiB; the system's usual one is 2,048 or more
    #[arg(long, value_name = "KIB", default_value = "64", value_parser = up_to::<8192>)]
    pub(crate) stack_kib: NonZeroUsize,

    /// Random rates per option that is priced, 1 to 1,000,000,000; the cost grows with them
    #[arg(long, value_name = "N", default_value = "80_000_000",
          value_parser = up_to::<1_000_000_000>)]
    pub(crate) paths: NonZeroUsize,

    /// The venue's shortest latency
    #[arg(long, value_name = "SECONDS", default_value = "0.05")]
    #[serde(rename = "fastest_s")]
    fastest: Seconds,

    /// The venue's longest latency
    #[arg(long, value_name = "SECONDS", default_value = "0.15")]
    #[serde(rename = "slowest_s")]
    slowest: Seconds,
}

impl Args {
    /// What decides prices and latencies.
    pub(crate) fn market(&self, seed: u64) -> Result<Market, Usage> {
        let (fastest, slowest) = (self.fastest, self.slowest);
        if fastest.0 > slowest.0 {
            return Err(Usage(format!(
                "`--fastest {fastest}` is longer than `--slowest {slowest}`; swap them"
            )));
        }
        Ok(Market {
            seed,
            fastest: fastest.0,
            slowest: slowest.0,
        })
    }
}
