//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! Between the stages lies a bounded channel; around them the [`Frontier`] hands out URLs and takes in
//! the result of each page. The crawls differ in this: the stages are awaited one after the
//! other, or joined.

pub mod frontier;
pub mod parse;
mod stream;
mod tree;
pub mod workers;

use frontier::{Frontier, Outcome, Target};
use futures_util::{StreamExt, future, stream::poll_fn};
use parse::declared_encoding;
use std::{borrow::Cow, cell::RefCell, iter};
use tokio::sync::mpsc::{self, Receiver, Sender};
use web::{AsyncClient, Page, get_async};
use workers::Parser;

/// What the timeline calls the channel between the stages.
pub const PAGES: &str = "pages queued";

/// What a crawl needs.
#[derive(Debug)]
pub struct Crawl<'a> {
    /// Who fetches.
    pub client: AsyncClient,
    /// What comes next.
    pub frontier: Frontier,
    /// Who parses.
    pub parser: &'a Parser,
    /// How many pages may be on their way at once.
    pub in_flight: usize,
    /// How many may wait between the stages, when both run.
    pub queue: usize,
    /// How many may be with the workers, or on their way there.
    pub at_parser: usize,
}

/// Fetches every page it knows of, then parses them all, then goes on with what these link to.
pub async fn crawl_with_barrier(crawl: &Crawl<'_>) {
    loop {
        // At most a thousand, so that they cannot fill the memory.
        let batch = iter::from_fn(|| crawl.frontier.take()).take(1000);
        let batch: Vec<Target> = batch.collect();
        if batch.is_empty() {
            return;
        }
        // Room for all of them: no fetch ever waits for the parser.
        let (tx, rx) = mpsc::channel(batch.len());
        let batch = RefCell::new(batch.into_iter());
        fetch_pages(crawl, async || batch.borrow_mut().next(), tx).await;
        // The barrier: the last page is here, and no worker has seen the first.
        parse_pages(crawl, rx).await;
    }
}

/// Parses pages while others are on their way; a full channel holds the fetching back.
pub async fn crawl_streaming(crawl: &Crawl<'_>) {
    let (tx, rx) = mpsc::channel(crawl.queue);
    let fetching = fetch_pages(crawl, async || crawl.frontier.next().await, tx);
    future::join(fetching, parse_pages(crawl, rx)).await;
}

/// The first stage: tasks on one thread, each with one request at a time.
///
/// HTML goes into the channel; what did not come, or is no HTML, goes straight to the frontier.
async fn fetch_pages(
    crawl: &Crawl<'_>,
    next: impl AsyncFn() -> Option<Target>,
    tx: Sender<(usize, Page)>,
) {
    let fetchers = (1..=crawl.in_flight).map(|n| run_fetcher(n, crawl, &next, tx.clone()));
    let fetchers: Vec<_> = fetchers.collect();
    // The fetchers hold the senders now: the channel closes with the last of them.
    drop(tx);
    future::join_all(fetchers).await;
}

#[tracing::instrument(name = "fetcher", skip_all, fields(task = number, wait = "queue empty"))]
async fn run_fetcher(
    number: usize,
    crawl: &Crawl<'_>,
    next: &impl AsyncFn() -> Option<Target>,
    tx: Sender<(usize, Page)>,
) {
    while let Some((number, url)) = next().await {
        match get_async(&crawl.client, &url).await {
            Ok(page) => match page.is_html() {
                Ok(()) => hand_over(number, page, &tx).await,
                Err(what) => crawl.frontier.settle(number, Outcome::Skipped(what)),
            },
            Err(error) => crawl
                .frontier
                .settle(number, Outcome::Failed(error.to_string())),
        }
    }
}

/// Waits for room in the channel: this is where a slow parser holds the network back.
#[tracing::instrument(name = "hand over", skip_all, fields(wait = "queue full"))]
async fn hand_over(number: usize, page: Page, tx: &Sender<(usize, Page)>) {
    let sent = tx.send((number, page)).await;
    sent.expect("the parsing stage ends after the last sender");
    tracing::info!(queue = PAGES, depth = tx.max_capacity() - tx.capacity());
}

/// The second stage: parses what comes through the channel.
async fn parse_pages(crawl: &Crawl<'_>, mut rx: Receiver<(usize, Page)>) {
    let pages = poll_fn(|context| {
        let next = rx.poll_recv(context);
        if next.is_ready() {
            tracing::info!(queue = PAGES, depth = rx.len());
        }
        next
    });
    let parsing = pages.for_each_concurrent(crawl.at_parser, |(number, page)| async move {
        let outcome = match page.text(declared_encoding).map(Cow::into_owned) {
            Ok(text) => match crawl.parser.parse((page.url.clone(), text)).await {
                Ok(parsed) => Outcome::Parsed(parsed),
                Err(error) => Outcome::Failed(format!("cannot parse `{}`: {error}", page.url)),
            },
            Err(what) => Outcome::Skipped(what),
        };
        crawl.frontier.settle(number, outcome);
    });
    parsing.await;
}
