//! The first stage: a fixed number of tasks on one thread, each with one request at a time.

use crate::{
    crawl::Frontier,
    outcome::{Outcome, Target},
};
use common::http::{Page, Url, get_async};
use futures_util::future::join_all;
use reqwest::Client;
use std::{cell::Cell, num::NonZeroUsize};
use tokio::sync::mpsc;

/// Counts the pages held at this moment, and the most there ever were.
///
/// The executor is one thread, so a plain cell counts.
#[derive(Debug, Default)]
pub struct Gauge {
    now: Cell<usize>,
    peak: Cell<usize>,
}

/// One page in the [`Gauge`], from its request until it is parsed or given up.
#[derive(Debug)]
pub struct Held<'a>(&'a Gauge);

impl Gauge {
    /// The most pages held at once.
    pub fn peak(&self) -> usize {
        self.peak.get()
    }

    fn hold(&self) -> Held<'_> {
        self.now.set(self.now.get() + 1);
        self.peak.set(self.peak.get().max(self.now.get()));
        Held(self)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.now.set(self.0.now.get() - 1);
    }
}

/// A page between the stages.
#[derive(Debug)]
pub struct Fetched<'a> {
    /// What was asked for.
    pub target: Target,
    /// What came.
    pub page: Page,
    /// Travels with the page.
    pub held: Held<'a>,
}

/// Fetches what `next` names, `at_once` pages at a time, until it names no more.
///
/// HTML goes into the channel; what did not come, or is no HTML, goes straight to the frontier.
pub async fn fetch_pages<'a>(
    client: &Client,
    next: impl AsyncFn() -> Option<Target>,
    frontier: &Frontier,
    gauge: &'a Gauge,
    at_once: NonZeroUsize,
    tx: mpsc::Sender<Fetched<'a>>,
) {
    let fetchers = at_once.min(frontier.limit()).get();
    let fetchers = (1..=fetchers)
        .map(|number| run_fetcher(number, client, &next, frontier, gauge, tx.clone()));
    let fetchers: Vec<_> = fetchers.collect();
    // The fetchers hold the senders now: the channel closes with the last of them.
    drop(tx);
    join_all(fetchers).await;
}

#[tracing::instrument(name = "fetcher", skip_all, fields(task = number, wait = "queue"))]
async fn run_fetcher<'a>(
    number: usize,
    client: &Client,
    next: &impl AsyncFn() -> Option<Target>,
    frontier: &Frontier,
    gauge: &'a Gauge,
    tx: mpsc::Sender<Fetched<'a>>,
) {
    while let Some(target) = next().await {
        let held = gauge.hold();
        match get_async(client, &target.url).await {
            Ok(page) => match reason_to_skip(&target, &page) {
                Some(reason) => frontier.settle(target, Outcome::Skipped { reason }),
                None => hand_over(Fetched { target, page, held }, &tx).await,
            },
            Err(error) => frontier.settle(target, Outcome::failed(error)),
        }
    }
}

/// Waits for room in the channel: this is where a slow parser holds the network back.
#[tracing::instrument(name = "hand over", skip_all, fields(wait = "queue"))]
async fn hand_over<'a>(fetched: Fetched<'a>, tx: &mpsc::Sender<Fetched<'a>>) {
    let sent = tx.send(fetched).await;
    sent.expect("the parsing stage ends after the last sender");
}

fn reason_to_skip(target: &Target, page: &Page) -> Option<String> {
    if target.is_found && !same_host(&target.url, &page.url) {
        return Some(format!("redirects to another host, `{}`", page.url));
    }
    if page.is_html() {
        return None;
    }
    Some(match &page.content_type {
        Some(content_type) => format!("not HTML but `{content_type}`"),
        None => "no HTML: the server does not say what it is".into(),
    })
}

/// Whether both are at one place: scheme, host and port.
pub(crate) fn same_host(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}
