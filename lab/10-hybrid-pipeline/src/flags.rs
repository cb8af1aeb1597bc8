//! The flags of this step, and the pages that they ask for.

use common::cli::{RoundsArgs, Seconds, WORKERS_LIMIT, seconds, up_to};
use network::{Site, WebUrl};
use process_pool::child::Program;
use serde::Serialize;
use std::num::NonZeroUsize;
use web::{Server, ServerConfig, Url};

/// What to crawl, and with what.
#[derive(clap::Args, Serialize, Debug)]
pub(crate) struct Args {
    /// Fetch this page (http or https); repeat the flag for several
    ///
    /// With --pages above the number of URLs, the links on them are followed too: breadth first, on
    /// the same host only, each page once.
    #[arg(long, value_name = "URL", value_parser = WebUrl)]
    pub(crate) url: Vec<Url>,

    /// Fetch at most this many pages [default: 120 generated, each --url]
    #[arg(long, visible_alias = "requests", value_name = "N", value_parser = up_to::<10_000>)]
    pub(crate) pages: Option<NonZeroUsize>,

    /// Let the server hold each generated page back for this long, 0 to 60 seconds
    #[arg(
        long, value_name = "SECONDS", default_value = "0.04", conflicts_with = "url",
        value_parser = seconds(0.0..=60.0)
    )]
    #[serde(rename = "delay_s")]
    delay: Seconds,

    /// Give up on a page after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds(0.001..=3600.0))]
    #[serde(rename = "timeout_s")]
    pub(crate) timeout: Seconds,

    /// Fetch this many pages at once
    #[arg(long, value_name = "N", default_value = "8", value_parser = up_to::<100>)]
    pub(crate) max_in_flight: NonZeroUsize,

    /// Parse with this many threads or processes
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<WORKERS_LIMIT>)]
    pub(crate) workers: NonZeroUsize,

    /// Let this many pages wait between the stages
    #[arg(long, value_name = "N", default_value = "32", value_parser = up_to::<100_000>)]
    pub(crate) queue: NonZeroUsize,

    /// What to parse with: scraper builds a tree, stream (lol_html) lets the tags go by once
    #[arg(long, value_name = "PARSER", default_value = "scraper", value_parser = ["scraper", "stream"])]
    pub(crate) parser: String,

    /// In the end, crawl once more in processes and kill one of them half-way
    #[arg(long)]
    kill_worker: bool,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}

/// The variant in which a worker is killed half-way.
pub(crate) const KILLED: &str = "one worker killed, processes";

impl Args {
    /// The variants to run: how the stages are joined, and who parses. The step is about the first two.
    pub(crate) fn variants(&self) -> Vec<&'static str> {
        let mut all = vec!["barrier, processes", "streaming, processes"];
        // Pages of strangers are parsed where a page that is made to take for ever can be stopped.
        if self.url.is_empty() {
            all.extend(["streaming, rayon", "streaming, inline"]);
        }
        all.extend(self.kill_worker.then_some(KILLED));
        all
    }

    /// The pages to start from, with the server behind them if it is the lab's.
    pub(crate) fn open(&self, seed: u64) -> anyhow::Result<Site> {
        let config = ServerConfig {
            seed,
            ..ServerConfig::default()
        };
        let start = || Server::start(&Program::this(), config);
        let server = self.url.is_empty().then(start).transpose()?;
        let count = self.pages.map_or(120, NonZeroUsize::get);
        let query = format!("size=300000&count={count}&delay={}", self.delay);
        let numbered = (0..count).map(|n| format!("page/{n}?{query}"));
        let urls = match &server {
            Some(server) => numbered.map(|path| server.url(&path)).collect(),
            None => self.url.clone(),
        };
        Ok(Site { server, urls })
    }
}
