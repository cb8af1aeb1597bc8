//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! Between the stages lies a bounded channel; around them the [`Frontier`] hands out URLs and takes in
//! the result of each page. The crawls differ in this: the stages are awaited one after the
//! other, or joined.

mod bounds;
pub mod frontier;
pub mod loss;
pub mod parse;
pub mod workers;

pub use frontier::{Limits, Start};

use frontier::{Frontier, Outcome, PageReport, Target};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use parse::PageInput;
use std::{cell::RefCell, num::NonZeroUsize};
use tokio::sync::mpsc;
use web::{AsyncClient, Page, get_async};
use workers::Parser;

/// What the timeline calls the channel between the stages.
pub const PAGES: &str = "pages queued";

/// Fetches every page it knows of, then parses them all, then goes on with what these link to.
pub async fn crawl_with_barrier(
    client: &AsyncClient,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
) -> Vec<PageReport> {
    let frontier = Frontier::new(start);
    loop {
        let batch: Vec<Target> = (0..limits.batch.get())
            .map_while(|_| frontier.take())
            .collect();
        if batch.is_empty() {
            return frontier.finish();
        }
        // Room for all of them: no fetch ever waits for the parser.
        let (tx, rx) = mpsc::channel(batch.len());
        let batch = RefCell::new(batch.into_iter());
        let next = async || batch.borrow_mut().next();
        fetch_pages(client, next, &frontier, limits.in_flight, tx).await;
        // The barrier: the last page is here, and no worker has seen the first.
        parse_pages(rx, parser, &frontier, limits.at_parser).await;
    }
}

/// Parses pages while others are on their way; a full channel holds the fetching back.
pub async fn crawl_streaming(
    client: &AsyncClient,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
) -> Vec<PageReport> {
    let frontier = Frontier::new(start);
    stream_pages(client, &frontier, parser, limits).await;
    frontier.finish()
}

/// Both stages at once, until the frontier knows of no more pages.
async fn stream_pages(client: &AsyncClient, frontier: &Frontier, parser: &Parser, limits: &Limits) {
    let (tx, rx) = mpsc::channel(limits.queue.get());
    let next = async || frontier.next().await;
    join(
        fetch_pages(client, next, frontier, limits.in_flight, tx),
        parse_pages(rx, parser, frontier, limits.at_parser),
    )
    .await;
}

/// The first stage: `at_once` tasks on one thread, each with one request at a time.
///
/// HTML goes into the channel; what did not come, or is no HTML, goes straight to the frontier.
async fn fetch_pages(
    client: &AsyncClient,
    next: impl AsyncFn() -> Option<Target>,
    frontier: &Frontier,
    at_once: NonZeroUsize,
    tx: mpsc::Sender<(Target, Page)>,
) {
    let fetchers = (1..=at_once.get()).map(|n| run_fetcher(n, client, &next, frontier, tx.clone()));
    let fetchers: Vec<_> = fetchers.collect();
    // The fetchers hold the senders now: the channel closes with the last of them.
    drop(tx);
    join_all(fetchers).await;
}

#[tracing::instrument(name = "fetcher", skip_all, fields(task = number, wait = "queue empty"))]
async fn run_fetcher(
    number: usize,
    client: &AsyncClient,
    next: &impl AsyncFn() -> Option<Target>,
    frontier: &Frontier,
    tx: mpsc::Sender<(Target, Page)>,
) {
    while let Some(target) = next().await {
        match get_async(client, &target.url).await {
            Ok(page) => match page.is_html() {
                Ok(()) => hand_over(target, page, &tx).await,
                Err(what) => frontier.settle(target, Outcome::Skipped(what)),
            },
            Err(error) => frontier.settle(target, Outcome::Failed(error.to_string())),
        }
    }
}

/// Waits for room in the channel: this is where a slow parser holds the network back.
#[tracing::instrument(name = "hand over", skip_all, fields(wait = "queue full"))]
async fn hand_over(target: Target, page: Page, tx: &mpsc::Sender<(Target, Page)>) {
    let sent = tx.send((target, page)).await;
    sent.expect("the parsing stage ends after the last sender");
    tracing::info!(queue = PAGES, depth = tx.max_capacity() - tx.capacity());
}

/// The second stage: parses what comes through the channel, `at_once` pages at a time.
async fn parse_pages(
    mut rx: mpsc::Receiver<(Target, Page)>,
    parser: &Parser,
    frontier: &Frontier,
    at_once: NonZeroUsize,
) {
    let pages = stream::poll_fn(|context| {
        let next = rx.poll_recv(context);
        if next.is_ready() {
            tracing::info!(queue = PAGES, depth = rx.len());
        }
        next
    });
    let parsing = pages.for_each_concurrent(at_once.get(), |(target, page)| async move {
        let elapsed = page.elapsed;
        let input = PageInput::of(page, frontier.reading());
        let outcome = match parser.parse(input).await {
            Ok(parsed) => Outcome::Parsed { parsed, elapsed },
            Err(error) => Outcome::Failed(format!("cannot parse `{}`: {error}", target.url)),
        };
        frontier.settle(target, outcome);
    });
    parsing.await;
}
