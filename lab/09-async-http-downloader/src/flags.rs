//! The step's own flags, and what follows from them.

use clap::builder::ArgPredicate;
use common::cli::{Seconds, WORKERS_LIMIT, seconds, up_to};
use lab_09_async_http_downloader::RetryPolicy;
use network::RequestArgs;
use serde::Serialize;
use std::num::{NonZeroU32, NonZeroUsize};
use web::{FaultKind, Faults};

pub(crate) const REQUESTS: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");

#[derive(clap::Args, Serialize)]
pub(crate) struct Args {
    /// Permits of the semaphore: requests in flight at once, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<WORKERS_LIMIT>)]
    pub(crate) limit: NonZeroUsize,

    /// Attempts per request, the first included, 1 to 20
    ///
    /// Tried again: statuses 500 to 599, 429 and 408, time-outs, broken connections.
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<20>)]
    pub(crate) attempts: NonZeroUsize,

    /// Pause this long after a first failure, twice as long after a second, and so on; 0 to 60
    ///
    /// Half of each pause is certain and half is chance (jitter), by the seed.
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds(0.0..=60.0))]
    #[serde(rename = "backoff_s")]
    backoff: Seconds,

    /// Never pause longer than this, 0 to 60 seconds; where the server asks for more, give up
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds(0.0..=60.0))]
    #[serde(rename = "max_wait_s")]
    max_wait: Seconds,

    /// Let one request in K fail in the second part, 1 to 10000; 0 leaves that part out
    ///
    /// The seed decides which attempts of which request fail, and how. Only the lab's own server does this.
    #[arg(long, value_name = "K", default_value = "3", num_args = 0..=1, default_missing_value = "3",
          default_value_ifs = [
              ("url", ArgPredicate::IsPresent, "0"), ("base_url", ArgPredicate::IsPresent, "0"),
          ],
          conflicts_with_all = ["url", "base_url"],
          value_parser = common::cli::within::<u32>(0..=10_000))]
    faults: u32,

    /// The ways to fail, apart by commas: 500, 429, cut, reset, stall
    ///
    /// `cut` is half a body, `reset` a broken connection, `stall` an answer that never ends.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "500,429,cut,reset",
          value_parser = str::parse::<FaultKind>)]
    fault_kinds: Vec<FaultKind>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) requests: RequestArgs,
}

impl Args {
    pub(crate) fn policy(&self, seed: u64) -> RetryPolicy {
        RetryPolicy {
            attempts: self.attempts.get(),
            back_off: self.backoff.0,
            max_wait: self.max_wait.0,
            seed,
        }
    }

    pub(crate) fn faults(&self, seed: u64) -> Option<Faults> {
        let every = NonZeroU32::new(self.faults)?;
        Some(Faults::new(every, seed, self.fault_kinds.clone()))
    }
}
