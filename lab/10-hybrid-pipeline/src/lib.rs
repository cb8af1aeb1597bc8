//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! Between the stages lies a bounded channel. The crawls differ in this: the stages are awaited one
//! after the other, or joined.

pub mod links;
pub mod page;
mod tags;
pub mod workers;

use futures_util::{StreamExt, future, stream};
use page::{Parsed, declared_encoding};
use std::{cell::RefCell, collections::BTreeMap};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::{Instrument, info_span};
use web::{AsyncClient, Fetched, Url, get_async};
use workers::Parser;

/// What the timeline calls the channel between the stages.
pub const PAGES: &str = "pages queued";

/// What a crawl needs.
#[derive(Debug)]
pub struct Crawl<'a> {
    /// Who fetches.
    pub client: AsyncClient,
    /// Who parses.
    pub parser: &'a Parser,
    /// How many pages may be on their way at once.
    pub in_flight: usize,
    /// How many may wait between the stages, when both run.
    pub queue: usize,
    /// How many may be with the workers, or on their way there.
    pub at_parser: usize,
}

/// What is on a page, or why that is not known.
pub type Outcome = Result<Parsed, String>;

/// A page's number, and what came for it.
type Numbered = (usize, Fetched);

/// Fetches all pages, then parses them all.
pub async fn crawl_with_barrier(crawl: &Crawl<'_>, urls: &[Url]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    // At most a thousand at a time, so that they cannot fill the memory.
    for some in urls.chunks(1000) {
        // Room for all of them: no fetch ever waits for the parser.
        let (tx, rx) = mpsc::channel(some.len());
        fetch_pages(crawl, some, tx).await;
        // The barrier: the last page is here, and no worker has seen the first.
        outcomes.extend(parse_pages(crawl, rx).await);
    }
    outcomes
}

/// Parses pages while others are on their way; a full channel holds the fetching back.
pub async fn crawl_streaming(crawl: &Crawl<'_>, urls: &[Url]) -> Vec<Outcome> {
    let (tx, rx) = mpsc::channel(crawl.queue);
    future::join(fetch_pages(crawl, urls, tx), parse_pages(crawl, rx))
        .await
        .1
}

/// The first stage: tasks on one thread, each with one request at a time.
async fn fetch_pages(crawl: &Crawl<'_>, urls: &[Url], tx: Sender<Numbered>) {
    let urls = RefCell::new(urls.iter().enumerate());
    let next = || urls.borrow_mut().next();
    let fetchers = (1..=crawl.in_flight).map(|number| run_fetcher(number, crawl, &next, &tx));
    // When the last of them has ended, `tx` goes, and with it the channel is closed.
    future::join_all(fetchers).await;
}

#[tracing::instrument(name = "fetcher", skip_all, fields(task = number))]
async fn run_fetcher<'u>(
    number: usize,
    crawl: &Crawl<'_>,
    next: &impl Fn() -> Option<(usize, &'u Url)>,
    tx: &Sender<Numbered>,
) {
    while let Some((number, url)) = next() {
        let fetched = get_async(&crawl.client, url).await;
        // Waits for room in the channel: this is where a slow parser holds the network back.
        let waiting = info_span!("hand over", wait = "queue full");
        let sent = tx.send((number, fetched)).instrument(waiting).await;
        sent.expect("the parsing stage ends after the last sender");
        tracing::info!(queue = PAGES, depth = tx.max_capacity() - tx.capacity());
    }
}

/// The second stage: parses what comes through the channel; returns the results by number.
async fn parse_pages(crawl: &Crawl<'_>, rx: Receiver<Numbered>) -> Vec<Outcome> {
    let pages = stream::unfold(rx, async |mut rx| {
        let page = rx.recv().await?;
        tracing::info!(queue = PAGES, depth = rx.len());
        Some((page, rx))
    });
    let parsing = pages.map(async |(at, page)| (at, parse_page(crawl.parser, page).await));
    let outcomes: BTreeMap<_, _> = parsing.buffer_unordered(crawl.at_parser).collect().await;
    outcomes.into_values().collect()
}

async fn parse_page(parser: &Parser, fetched: Fetched) -> Outcome {
    let page = fetched.map_err(|error| error.to_string())?;
    let unfit = |what| format!("`{}` is {what}", page.url);
    page.is_html().map_err(unfit)?;
    let text = page.text(declared_encoding).map_err(unfit)?;
    let parsed = parser.parse((page.url.clone(), text.into_owned())).await;
    parsed.map_err(|error| format!("cannot parse `{}`: {error}", page.url))
}
