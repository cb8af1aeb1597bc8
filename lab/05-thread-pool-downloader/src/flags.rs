//! The step's own flags, and what follows from them.

use common::{
    Bound,
    cli::{WORKERS_LIMIT, up_to},
};
use network::{RequestArgs, Site};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};
use web::Url;

#[derive(clap::Args, Serialize)]
pub(crate) struct Args {
    /// Threads in the pool, 1 to 512; the script has 10, as --spread has without this
    #[arg(long, value_name = "N", default_value = "5", default_value_if("spread", "true", "10"), value_parser = up_to::<WORKERS_LIMIT>)]
    pub(crate) workers: NonZeroUsize,

    /// Ask for unequal delays, the longest first, and add a pool of half the threads, rounded down
    ///
    /// The first request is held back for --delay, each further one for less, in equal steps.
    #[arg(long, conflicts_with = "url")]
    pub(crate) spread: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) requests: RequestArgs,
}

impl Args {
    /// What to fetch; `--spread` gives each request a delay of its own.
    pub(crate) fn urls(&self, site: &Site) -> Vec<Url> {
        if !self.spread {
            return site.urls.clone();
        }
        // Each ends in its delay.
        let delayed = site.urls.iter().zip(self.delays(site.urls.len()));
        let urls = delayed.map(|(url, delay)| url.join(&delay.as_secs_f64().to_string()));
        urls.filter_map(Result::ok).collect()
    }

    /// Half the workers, where a pool of that size is to run too.
    pub(crate) fn half(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.workers.get() / 2).filter(|_| self.spread)
    }

    /// The sizes of the pools to run, the largest last.
    pub(crate) fn pools(&self) -> impl Iterator<Item = NonZeroUsize> {
        self.half().into_iter().chain([self.workers])
    }

    /// The bound of `count` requests, at most `at_once` of them in flight.
    pub(crate) fn bound(&self, count: usize, at_once: usize) -> Bound {
        if !self.spread {
            return self.requests.bound(count, at_once);
        }
        Bound::Waits {
            each: None,
            count,
            at_once,
        }
    }

    /// From one whole delay down in equal steps.
    pub(crate) fn delays(&self, count: usize) -> impl Iterator<Item = Duration> {
        let whole = self.requests.delay.0;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (1..=count).rev().map(move |part| whole * part / count)
    }
}
