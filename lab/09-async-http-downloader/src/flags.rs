//! The step's own flags, and what follows from them.

use clap::builder::ArgPredicate;
use common::{
    Bound,
    cli::{as_seconds, parse_workers, up_to},
};
use lab_09_async_http_downloader::RetryPolicy;
use network::{RequestArgs, Site, parse_delay};
use process_pool::child::Program;
use serde::Serialize;
use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};
use web::{FaultKind, Faults, ServerConfig, ServerError};

const REQUESTS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const FAULTS_LIMIT: u32 = 10_000;

#[derive(clap::Args, Serialize)]
pub(crate) struct Args {
    /// Permits of the semaphore: requests in flight at once, 1 to 512
    #[arg(
        long, value_name = "N", default_value = "5", value_parser = parse_workers,
        allow_negative_numbers = true
    )]
    pub(crate) limit: NonZeroUsize,

    /// Attempts per request, the first included, 1 to 20
    ///
    /// Tried again: statuses 500 to 599, 429 and 408, time-outs, broken connections. Not tried
    /// again: what another attempt cannot mend, such as a 404 or a port that refuses.
    #[arg(
        long, value_name = "N", default_value = "3", value_parser = parse_attempts,
        allow_negative_numbers = true
    )]
    pub(crate) attempts: NonZeroU32,

    /// Rest this long after a first failure, twice as long after a second, and so on; 0 to 60
    ///
    /// Half of each rest is certain and half is chance (jitter), by the seed.
    #[arg(
        long, value_name = "SECONDS", default_value = "0.5", value_parser = parse_delay,
        allow_negative_numbers = true
    )]
    #[serde(rename = "backoff_s", serialize_with = "as_seconds")]
    pub(crate) backoff: Duration,

    /// Never rest longer than this, 0 to 60 seconds
    ///
    /// A `Retry-After` up to this is honoured; where the server asks for more, the request is given
    /// up rather than repeated too soon.
    #[arg(
        long, value_name = "SECONDS", default_value = "10", value_parser = parse_delay,
        allow_negative_numbers = true
    )]
    #[serde(rename = "max_wait_s", serialize_with = "as_seconds")]
    pub(crate) max_wait: Duration,

    /// Let one of every K requests fail in the second part, 1 to 10000; 0 leaves that part out
    ///
    /// The seed decides which one of each K, and how. Only the lab's own server does this.
    #[arg(
        long, value_name = "K", default_value = "3", num_args = 0..=1, default_missing_value = "3",
        default_value_ifs = [
            ("url", ArgPredicate::IsPresent, "0"),
            ("base_url", ArgPredicate::IsPresent, "0"),
        ],
        conflicts_with_all = ["url", "base_url"], value_parser = parse_faults,
        allow_negative_numbers = true
    )]
    pub(crate) faults: u32,

    /// The ways to fail, apart by commas: 500, 429, cut, reset, stall
    ///
    /// `cut` is half a body, `reset` a broken connection, `stall` an answer that never ends: it
    /// costs a whole --timeout each time. A 429 asks for a wait of one second.
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "500,429,cut,reset"
    )]
    pub(crate) fault_kinds: Vec<FaultKind>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) requests: RequestArgs,
}

impl Args {
    pub(crate) fn policy(&self, seed: u64) -> RetryPolicy {
        RetryPolicy {
            attempts: self.attempts,
            back_off: self.backoff,
            max_wait: self.max_wait,
            seed,
        }
    }

    /// What to fetch from; with faults, a server of its own that fails by the seed.
    pub(crate) fn open(&self, faults: Option<Faults>) -> Result<Site, ServerError> {
        let config = ServerConfig {
            faults,
            ..ServerConfig::default()
        };
        Site::open(&self.requests, REQUESTS, &Program::this(), config)
    }

    /// The faults that were asked for, unless there are to be none.
    pub(crate) fn faults(&self, seed: u64) -> Option<Faults> {
        Some(Faults {
            kinds: self.fault_kinds.clone(),
            ..Faults::new(NonZeroU32::new(self.faults)?, seed)
        })
    }

    /// The bound of the waits that were asked for, or else of the attempts that were made.
    pub(crate) fn bound(&self, requests: usize, has_faults: bool) -> Bound {
        if self.requests.url.is_empty() && !has_faults {
            return self.requests.bound(requests, self.limit.get());
        }
        Bound::Spans {
            name: "fetch",
            at_once: self.limit.get(),
        }
    }
}

fn parse_attempts(text: &str) -> Result<NonZeroU32, String> {
    let count = up_to::<20>(text)?;
    NonZeroU32::try_from(count).map_err(|error| error.to_string())
}

fn parse_faults(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|every| *every <= FAULTS_LIMIT)
        .ok_or_else(|| format!("not a whole number from 0 to {FAULTS_LIMIT}"))
}
