//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! Between the stages lies a bounded channel. The crawls differ in this: the stages are awaited one
//! after the other, or joined.

pub mod page;
pub mod workers;

use futures_util::{StreamExt, future, stream};
use page::{Parsed, declared_encoding};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::{Instrument, info, info_span};
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

/// Fetches all pages, then parses them all.
pub async fn crawl_with_barrier(crawl: &Crawl<'_>, urls: &[Url]) -> Vec<Outcome> {
    // Room for all of them: no fetch ever waits for the parser.
    let (tx, rx) = mpsc::channel(urls.len().max(1));
    fetch_pages(crawl, urls, tx).await;
    // The barrier: the last page is here, and no worker has seen the first.
    parse_pages(crawl, rx).await
}

/// Parses pages while others are on their way; a full channel holds the fetching back.
pub async fn crawl_streaming(crawl: &Crawl<'_>, urls: &[Url]) -> Vec<Outcome> {
    let (tx, rx) = mpsc::channel(crawl.queue);
    let (_, outcomes) = future::join(fetch_pages(crawl, urls, tx), parse_pages(crawl, rx)).await;
    outcomes
}

/// The first stage: tasks on one thread, each with one request at a time.
async fn fetch_pages(crawl: &Crawl<'_>, urls: &[Url], tx: Sender<(usize, Fetched)>) {
    let urls = RefCell::new(urls.iter().enumerate());
    let next = || urls.borrow_mut().next();
    let run = async || {
        while let Some((number, url)) = next() {
            let fetched = get_async(&crawl.client, url).await;
            // Waits for room in the channel: this is where a slow parser holds the network back.
            let waiting = info_span!("hand over", wait = "queue full");
            let sent = tx.send((number, fetched)).instrument(waiting).await;
            sent.expect("the parsing stage ends after the last sender");
            info!(queue = PAGES, depth = tx.max_capacity() - tx.capacity());
        }
    };
    let fetchers = (1..=crawl.in_flight).map(|task| run().instrument(info_span!("fetcher", task)));
    // When the last of them has ended, `tx` goes, and with it the channel is closed.
    future::join_all(fetchers).await;
}

/// The second stage: parses what comes through the channel; returns the results by number.
async fn parse_pages(crawl: &Crawl<'_>, rx: Receiver<(usize, Fetched)>) -> Vec<Outcome> {
    let pages = stream::unfold(rx, async |mut rx| {
        let page = rx.recv().await?;
        info!(queue = PAGES, depth = rx.len());
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

/// One page of a crawl: where it is, whether a link led to it or it was asked for, and its title and number of
/// links, or why these are not known.
pub type PageReport = (Url, bool, Result<(String, usize), String>);

/// Crawls these pages, then those that they link to, and so on, up to `limit`, each once.
///
/// One generation after the other: so the pages of a crawl do not depend on who was faster.
pub async fn follow_links(
    mut urls: Vec<Url>,
    limit: usize,
    crawl: impl AsyncFn(&[Url]) -> Vec<Outcome>,
) -> Vec<PageReport> {
    let (mut pages, mut seen) = (Vec::<PageReport>::new(), HashSet::new());
    loop {
        urls.iter_mut().for_each(|url| url.set_fragment(None));
        urls.retain(|url| seen.insert(url.clone()));
        urls.truncate(limit - pages.len());
        if urls.is_empty() {
            return pages;
        }
        let (is_found, mut found) = (!pages.is_empty(), Vec::new());
        let outcomes = crawl(&urls).await;
        for (url, outcome) in urls.into_iter().zip(outcomes) {
            let kept = outcome.map(|(title, links, targets)| {
                found.extend(targets);
                (title, links)
            });
            pages.push((url, is_found, kept));
        }
        urls = found;
    }
}
