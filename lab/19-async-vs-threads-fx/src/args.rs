//! The flags of this step, and what follows from them.

use common::{
    cli::{Seconds, Usage, parse_workers, up_to},
    format,
};
use lab_19_async_vs_threads_fx::quotes;
use serde::Serialize;
use std::{collections::BTreeSet, num::NonZeroUsize, time::Duration};
use web::venue::{Market, Pair, Request, VenueConfig};

/// Past this, one machine has no ports left for the clients.
const MOST_IN_FLIGHT: usize = 20_000;

/// Rows past this are large.
const LARGE: usize = 2_000;

/// Most quotes of the table: more would be a sweep.
const MOST_QUOTES: usize = 10_000;

/// What to ask for, and how.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct FxArgs {
    /// Pairs to quote: EURUSD, USDJPY, GBPUSD, AUDUSD, USDCHF
    #[arg(
        long,
        value_name = "PAIR",
        value_delimiter = ',',
        default_value = "EURUSD,USDJPY,GBPUSD,AUDUSD,USDCHF"
    )]
    pub(crate) pairs: Vec<Pair>,

    /// Quotes per pair, 1 to 1000
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) repeats: NonZeroUsize,

    /// Threads, and tasks, that share the quotes: the limit of both sides, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = parse_workers,
          allow_negative_numbers = true)]
    pub(crate) workers: NonZeroUsize,

    /// Requests in flight at once, one row each, 1 to 20000
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "10,100,1000,10000",
          value_parser = up_to::<MOST_IN_FLIGHT>, allow_negative_numbers = true)]
    pub(crate) sweep: Vec<NonZeroUsize>,

    /// Run both sides this often, taking turns; the middle run is shown
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<100>,
          allow_negative_numbers = true)]
    pub(crate) rounds: NonZeroUsize,

    /// Run rows past 2,000 in flight this often
    ///
    /// They take seconds. The times of a single run are shown and not judged.
    #[arg(long, value_name = "N", default_value = "1", value_parser = up_to::<100>,
          allow_negative_numbers = true)]
    large_rounds: NonZeroUsize,

    /// Stack of each thread in the sweep, in KiB, 16 to 8192; the system's usual one is 2048 or more
    #[arg(long, value_name = "KIB", default_value = "64", value_parser = parse_stack,
          allow_negative_numbers = true)]
    pub(crate) stack_kib: usize,

    /// Random ends per option that is priced; the cost grows with them
    #[arg(long, value_name = "N", default_value = "900_000", value_parser = up_to::<100_000_000>,
          allow_negative_numbers = true)]
    pub(crate) paths: NonZeroUsize,

    /// The venue's shortest latency
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.05",
        allow_negative_numbers = true
    )]
    pub(crate) fastest: Seconds,

    /// The venue's longest latency
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.15",
        allow_negative_numbers = true
    )]
    pub(crate) slowest: Seconds,

    /// Give up on an answer after this long
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = parse_timeout,
          allow_negative_numbers = true)]
    pub(crate) timeout: Seconds,

    /// Let the venue crash when this many quotes and orders have arrived
    #[arg(long, value_name = "N", value_parser = parse_arrival, allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    venue_dies_at: Option<u64>,

    /// Let the venue never answer the quote or order that arrives as this one
    #[arg(long, value_name = "N", value_parser = parse_arrival, allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    venue_stalls_at: Option<u64>,
}

impl FxArgs {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// Two flags contradict each other, or ask for too much together.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (fastest, slowest) = (self.fastest, self.slowest);
        if fastest.0 > slowest.0 {
            return Err(Usage(format!(
                "`--fastest {fastest}` is longer than `--slowest {slowest}`; swap them"
            )));
        }
        let asked = self.pairs.len() * self.repeats.get();
        if asked > MOST_QUOTES {
            return Err(Usage(format!(
                "`--repeats {}` makes {} quotes, more than {}; lower it",
                self.repeats,
                format::count(asked as u64),
                format::count(MOST_QUOTES as u64)
            )));
        }
        Ok(())
    }

    /// What decides prices and latencies.
    pub(crate) fn market(&self, seed: u64) -> Market {
        Market {
            seed,
            fastest: self.fastest.0,
            slowest: self.slowest.0,
        }
    }

    pub(crate) fn venue(&self, seed: u64) -> VenueConfig {
        VenueConfig {
            market: self.market(seed),
            dies_at: self.venue_dies_at,
            stalls_at: self.venue_stalls_at,
        }
    }

    /// The script's quotes.
    pub(crate) fn quotes(&self) -> Vec<Request> {
        quotes(&self.pairs, self.repeats.get())
    }

    /// A quote for each request of a row.
    pub(crate) fn quotes_for(&self, at_once: usize) -> Vec<Request> {
        let mut all = quotes(&self.pairs, at_once.div_ceil(self.pairs.len()));
        all.truncate(at_once);
        all
    }

    /// The rows of the sweep, each once, the smallest first.
    pub(crate) fn levels(&self) -> BTreeSet<usize> {
        self.sweep.iter().map(|level| level.get()).collect()
    }

    /// How often a row is run.
    pub(crate) fn rounds_of(&self, level: usize) -> usize {
        let rounds = if level > LARGE {
            self.large_rounds
        } else {
            self.rounds
        };
        rounds.get()
    }

    pub(crate) fn stack_bytes(&self) -> usize {
        self.stack_kib * 1024
    }
}

fn parse_stack(text: &str) -> Result<usize, String> {
    let fits = up_to::<8192>(text).ok().filter(|kib| kib.get() >= 16);
    fits.map(NonZeroUsize::get)
        .ok_or_else(|| "not a whole number from 16 to 8192".into())
}

fn parse_timeout(text: &str) -> Result<Seconds, String> {
    let timeout: Seconds = text.parse()?;
    if timeout.0 < Duration::from_millis(1) {
        return Err("less than a millisecond (0.001)".into());
    }
    Ok(timeout)
}

fn parse_arrival(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "not a whole number from 1".into())
}
