//! The first stage: a fixed number of tasks on one thread, each with one request at a time.

use crate::{
    crawl::Frontier,
    outcome::{Outcome, Target},
    words::{REASON_CHARS, harmless},
};
use futures_util::future::join_all;
use reqwest::Client;
use std::{cell::Cell, num::NonZeroUsize};
use tokio::sync::mpsc;
use web::{Page, Url, get_async};

/// What the timeline calls the channel between the stages.
pub(crate) const PAGES: &str = "pages queued";

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

#[tracing::instrument(name = "fetcher", skip_all, fields(task = number, wait = "queue empty"))]
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
                Some(skipped) => frontier.settle(target, skipped),
                None => hand_over(Fetched { target, page, held }, &tx).await,
            },
            Err(error) => frontier.settle(target, Outcome::from(error)),
        }
    }
}

/// Waits for room in the channel: this is where a slow parser holds the network back.
#[tracing::instrument(name = "hand over", skip_all, fields(wait = "queue full"))]
async fn hand_over<'a>(fetched: Fetched<'a>, tx: &mpsc::Sender<Fetched<'a>>) {
    let sent = tx.send(fetched).await;
    sent.expect("the parsing stage ends after the last sender");
    tracing::info!(queue = PAGES, depth = tx.max_capacity() - tx.capacity());
}

fn reason_to_skip(target: &Target, page: &Page) -> Option<Outcome> {
    if target.is_found && !is_still_there(&target.url, &page.url) {
        let reason = format!("redirects to another host, `{}`", page.url);
        return Some(Outcome::skipped("other host", reason));
    }
    if page.is_html() {
        return None;
    }
    Some(match &page.content_type {
        Some(content_type) => {
            let content_type = harmless(content_type, REASON_CHARS);
            Outcome::skipped("not HTML", format!("not HTML but `{content_type}`"))
        }
        None => Outcome::skipped(
            "no content type",
            "no HTML: the server does not say what it is",
        ),
    })
}

/// Whether both are at one place: scheme, host and port.
pub(crate) fn same_host(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a redirect has not left the host that was asked; https instead of http is no other.
pub(crate) fn is_still_there(asked: &Url, came_from: &Url) -> bool {
    let has_usual_port = |url: &Url| url.port().is_none();
    let is_upgrade = asked.scheme() == "http"
        && came_from.scheme() == "https"
        && asked.host_str() == came_from.host_str()
        && has_usual_port(asked)
        && has_usual_port(came_from);
    is_upgrade || same_host(asked, came_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_on_the_host_that_was_asked_or_it_does_not() {
        for (asked, came_from, stays) in [
            ("http://h/a", "http://h/b", true),
            ("http://h/", "https://h/", true),
            ("https://h/", "http://h/", false),
            ("http://h/", "http://www.h/", false),
            ("http://h:81/", "https://h:81/", false),
            ("http://127.0.0.1:81/", "http://localhost:81/", false),
            ("http://h/", "http://h:81/", false),
        ] {
            let url = |text| Url::parse(text).expect("a URL");
            assert_eq!(
                is_still_there(&url(asked), &url(came_from)),
                stays,
                "{asked}"
            );
        }
    }
}
