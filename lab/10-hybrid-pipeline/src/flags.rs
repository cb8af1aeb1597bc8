//! The flags of this step, and the pages that they ask for.

use anyhow::{Context, ensure};
use common::cli::{RoundsArgs, Seconds, WORKERS_LIMIT, seconds, up_to};
use lab_10_hybrid_pipeline::{
    page::{Parse, STREAM, TREE},
    workers::WAYS,
};
use network::{Site, WebUrl};
use process_pool::child::Program;
use serde::Serialize;
use std::{num::NonZeroUsize, path::PathBuf, process::Command};
use web::{Server, ServerConfig, Url};

/// What to crawl, and with what.
#[derive(clap::Args, Serialize, Debug)]
pub(crate) struct Args {
    /// Fetch this page (http or https); repeat the flag for several
    ///
    /// With --pages above the number of URLs, the links on them are followed too: breadth first, on
    /// the same host only, each page once.
    #[arg(long, value_name = "URL", value_parser = WebUrl, conflicts_with = "site")]
    url: Vec<Url>,

    /// Crawl this site instead of generated pages
    #[arg(long, value_name = "SITE", value_parser = ["rust-docs"])]
    site: Option<String>,

    /// Fetch at most this many pages [default: 80 generated, 500 of rust-docs, each --url]
    #[arg(long, visible_alias = "requests", value_name = "N", value_parser = up_to::<100_000>)]
    pages: Option<NonZeroUsize>,

    /// The size of a generated page, 1 to 8000000
    #[arg(
        long, value_name = "BYTES", default_value = "200000",
        conflicts_with_all = ["url", "site"], value_parser = up_to::<8_000_000>
    )]
    size: NonZeroUsize,

    /// Let the server hold each generated page back for this long, 0 to 60 seconds
    #[arg(
        long, value_name = "SECONDS", default_value = "0.05", value_parser = seconds(0.0..=60.0),
        conflicts_with_all = ["url", "site"]
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
    parser: String,

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
        if self.parse.is_none() {
            all.extend(["streaming, rayon", "streaming, inline"].map(String::from));
        }
        if self.kill_worker {
            all.push(KILLED.into());
        }
        all
    }

    /// What parses a page.
    pub(crate) fn parse_with(&self) -> &'static Parse {
        [&TREE, &STREAM][usize::from(self.parser == "stream")]
    }

    /// Whether the lab's server makes the pages.
    pub(crate) fn is_generated(&self) -> bool {
        self.url.is_empty() && self.site.is_none()
    }

    /// The pages to start from, with the server behind them if it is the lab's, and the most to fetch.
    pub(crate) fn open(&self, seed: u64) -> anyhow::Result<(Site, usize)> {
        let pages = |default| self.pages.map_or(default, NonZeroUsize::get);
        if !self.url.is_empty() {
            let (server, urls) = (None, self.url.clone());
            return Ok((Site { server, urls }, pages(self.url.len())));
        }
        let (files, pages) = match self.site {
            Some(_) => (Some(documentation_folder()?), pages(500)),
            None => (None, pages(80)),
        };
        let config = ServerConfig {
            seed,
            files,
            ..ServerConfig::default()
        };
        let server = Server::with(&Program::this(), config)?;
        let (size, delay) = (self.size, self.delay.0.as_secs_f64());
        let url = |n| server.url(&format!("page/{n}?size={size}&count={pages}&delay={delay}"));
        let urls = match self.site {
            Some(_) => vec![server.url("files/index.html")],
            None => (0..pages).map(url).collect(),
        };
        let server = Some(server);
        Ok((Site { server, urls }, pages))
    }
}

/// The folder of the HTML documentation of the toolchain in use.
fn documentation_folder() -> anyhow::Result<PathBuf> {
    let heard = common::listen_to(Command::new("rustc").args(["--print", "sysroot"]));
    let (_, [sysroot, words]) = heard.context("no documentation found; leave out --site")?;
    ensure!(!sysroot.is_empty(), "rustc: {}", words.trim());
    let folder = PathBuf::from(sysroot.trim()).join("share/doc/rust/html");
    ensure!(
        folder.join("index.html").is_file(),
        "no documentation in `{}`; install it with `rustup component add rust-docs`, or leave out --site",
        folder.display()
    );
    Ok(folder)
}
