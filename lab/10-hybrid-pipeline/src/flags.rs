//! The flags of this step, and the pages that they ask for.

use common::cli::{RoundsArgs, Seconds, WORKERS_LIMIT, seconds, up_to};
use lab_10_hybrid_pipeline::workers::WAYS;
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

    /// Fetch at most this many pages [default: 80 generated, each --url]
    #[arg(long, visible_alias = "requests", value_name = "N", value_parser = up_to::<100_000>)]
    pub(crate) pages: Option<NonZeroUsize>,

    /// The size of a generated page, 1 to 8000000
    #[arg(
        long, value_name = "BYTES", default_value = "300000", conflicts_with = "url",
        value_parser = up_to::<8_000_000>
    )]
    size: NonZeroUsize,

    /// Let the server hold each generated page back for this long, 0 to 60 seconds
    #[arg(
        long, value_name = "SECONDS", default_value = "0.05", conflicts_with = "url",
        value_parser = seconds(0.0..=60.0)
    )]
    #[serde(rename = "delay_s")]
    delay: Seconds,

    /// Give up on a page after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds(0.001..=3600.0))]
    #[serde(rename = "timeout_s")]
    pub(crate) timeout: Seconds,

    /// Fetch this many pages at once
    #[arg(long, value_name = "N", default_value = "8", value_parser = up_to::<1_000>)]
    pub(crate) max_in_flight: NonZeroUsize,

    /// Parse with this many threads or processes
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<WORKERS_LIMIT>)]
    pub(crate) workers: NonZeroUsize,

    /// Let this many pages wait between the stages
    #[arg(long, value_name = "N", default_value = "32", value_parser = up_to::<100_000>)]
    pub(crate) queue: NonZeroUsize,

    /// Parse only so, with and without the barrier: on the tasks' own thread, by rayon, in processes
    #[arg(long, value_name = "WAY", value_parser = WAYS)]
    #[serde(skip)]
    parse: Option<String>,

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
    pub(crate) fn variants(&self) -> Vec<String> {
        let way = self.parse.as_deref().unwrap_or("processes");
        let mut all = vec![format!("barrier, {way}"), format!("streaming, {way}")];
        let others = ["streaming, rayon", "streaming, inline"].map(String::from);
        all.extend(others.into_iter().filter(|_| self.parse.is_none()));
        all.extend(self.kill_worker.then(|| KILLED.into()));
        all
    }

    /// The pages to start from, with the server behind them if it is the lab's.
    pub(crate) fn open(&self, seed: u64) -> anyhow::Result<Site> {
        if !self.url.is_empty() {
            let (server, urls) = (None, self.url.clone());
            return Ok(Site { server, urls });
        }
        let config = ServerConfig {
            seed,
            ..ServerConfig::default()
        };
        let server = Server::start(&Program::this(), config)?;
        let (pages, size) = (self.pages.map_or(80, NonZeroUsize::get), self.size);
        let query = format!("size={size}&count={pages}&delay={}", self.delay);
        let urls = (0..pages).map(|n| server.url(&format!("page/{n}?{query}")));
        let (urls, server) = (urls.collect(), Some(server));
        Ok(Site { server, urls })
    }
}
