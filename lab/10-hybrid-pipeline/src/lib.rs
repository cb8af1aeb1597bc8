//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! [`fetch`] is the first stage, [`workers`] the second. Between them lies a bounded channel; around
//! them the [`Frontier`] hands out URLs and takes in what became of each page. The two variants
//! differ in one word: the stages are awaited one after the other, or joined.

pub mod checksum;
pub mod content;
pub mod crawl;
pub mod fetch;
pub mod held;
pub mod loss;
pub mod nesting;
pub mod outcome;
pub mod parse;
pub mod parse_error;
mod place;
pub mod shift;
pub mod stream;
mod tokens;
pub mod totals;
pub mod tree;
pub mod words;
pub mod workers;

use crawl::Frontier;
use fetch::{Gauge, fetch_pages};
use futures_util::future::join;
use outcome::Crawled;
use parse::Reading;
use reqwest::Client;
use std::{cell::RefCell, num::NonZeroUsize};
use tokio::sync::mpsc;
use web::Url;
use workers::{Parser, parse_pages};

/// What to crawl.
#[derive(Clone, Debug)]
pub struct Start {
    /// The pages asked for; each is fetched once, however often it is listed.
    pub urls: Vec<Url>,
    /// The most pages to fetch; more than there are `urls` follows the links on them.
    pub pages: NonZeroUsize,
    /// What the pages are parsed with.
    pub reading: Reading,
}

/// How much of everything may be there at once; together they bound the memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Pages being fetched.
    pub in_flight: NonZeroUsize,
    /// Pages between the stages, when both run.
    pub queue: NonZeroUsize,
    /// Pages being parsed or waiting for a free worker.
    pub at_parser: NonZeroUsize,
    /// Pages that the barrier fetches before it parses them.
    pub batch: NonZeroUsize,
}

impl Limits {
    /// The most pages that [`crawl_streaming`] holds at once.
    pub fn held_streaming(&self) -> usize {
        self.in_flight.get() + self.queue.get() + self.at_parser.get()
    }

    /// The most pages that [`crawl_with_barrier`] holds at once.
    pub fn held_with_barrier(&self) -> usize {
        self.batch.get()
    }
}

/// Fetches every page it knows of, then parses them all, then goes on with what these link to.
pub async fn crawl_with_barrier(
    client: &Client,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
) -> Crawled {
    let (frontier, gauge) = (Frontier::new(start), Gauge::default());
    loop {
        let batch = frontier.take_known(limits.batch);
        if batch.is_empty() {
            return frontier.finish(gauge.peak());
        }
        // Room for all of them: no fetch ever waits for the parser.
        let (tx, rx) = mpsc::channel(batch.len());
        let batch = RefCell::new(batch.into_iter());
        let next = async || batch.borrow_mut().next();
        fetch_pages(client, next, &frontier, &gauge, limits.in_flight, tx).await;
        // The barrier: the last page is here, and no worker has seen the first.
        parse_pages(rx, parser, &frontier, limits.at_parser).await;
    }
}

/// Parses pages while others are on their way; a full channel holds the fetching back.
pub async fn crawl_streaming(
    client: &Client,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
) -> Crawled {
    let (frontier, gauge) = (Frontier::new(start), Gauge::default());
    stream_pages(client, &frontier, &gauge, parser, limits).await;
    frontier.finish(gauge.peak())
}

/// Both stages at once, until the frontier knows of no more pages.
pub(crate) async fn stream_pages(
    client: &Client,
    frontier: &Frontier,
    gauge: &Gauge,
    parser: &Parser,
    limits: &Limits,
) {
    let (tx, rx) = mpsc::channel(limits.queue.get());
    let next = async || frontier.next().await;
    join(
        fetch_pages(client, next, frontier, gauge, limits.in_flight, tx),
        parse_pages(rx, parser, frontier, limits.at_parser),
    )
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use outcome::{Finding, PageReport};
    use process_pool::child::Program;
    use std::time::Duration;
    use web::{Server, ServerConfig, async_client, server::page_title};
    use workers::Way;

    fn count(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("tests ask for at least one")
    }

    fn limits(in_flight: usize, queue: usize, at_parser: usize, batch: usize) -> Limits {
        Limits {
            in_flight: count(in_flight),
            queue: count(queue),
            at_parser: count(at_parser),
            batch: count(batch),
        }
    }

    fn server() -> Server {
        Server::in_process(0, ServerConfig::default()).expect("a server in this process")
    }

    /// Crawls with and without the barrier, in both ways that need no program of their own.
    fn every_variant(start: &Start, limits: &Limits, workers: usize) -> Vec<Crawled> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let client = async_client(Duration::from_secs(30));
        let mut all = Vec::new();
        for way in [Way::Inline, Way::Rayon] {
            let parser =
                Parser::start(way, count(workers), Program::this()).expect("workers start");
            all.push(runtime.block_on(crawl_with_barrier(&client, start, &parser, limits)));
            all.push(runtime.block_on(crawl_streaming(&client, start, &parser, limits)));
            assert_eq!(parser.finish(), None);
        }
        all
    }

    /// URL path, title and number of links, or what went wrong.
    fn told(page: &PageReport) -> (String, String, u32) {
        let path = Url::parse(&page.url).expect("a URL").path().to_owned();
        match &page.finding {
            Finding::Parsed { title, links, .. } => (path, title.clone(), *links),
            Finding::Skipped { reason, .. } => (path, reason.clone(), 0),
            Finding::Failed { error, .. } => (path, error.clone(), 0),
        }
    }

    #[test]
    fn every_variant_finds_each_page_s_title_and_links_in_order() {
        let server = server();
        for (pages, workers) in [(0, 1), (1, 2), (7, 3), (60, 1), (60, 8)] {
            let start = Start {
                urls: (0..pages)
                    .map(|n| server.url(&format!("page/{n}?size=2000")))
                    .collect(),
                pages: count(pages.max(1)),
                reading: Reading::Scraper,
            };
            let expected: Vec<_> = (0..pages)
                .map(|n| {
                    let n = u32::try_from(n).expect("few");
                    (format!("/page/{n}"), page_title(0, n), 5)
                })
                .collect();
            for crawled in every_variant(&start, &limits(5, 4, 2 * workers, 1000), workers) {
                let found: Vec<_> = crawled.pages.iter().map(told).collect();
                assert_eq!(found, expected, "{workers} workers");
            }
        }
    }

    #[test]
    fn a_crawl_follows_links_breadth_first_whoever_is_faster() {
        let server = server();
        let start = |pages| Start {
            urls: vec![server.url("page/0?size=500&count=40")],
            pages: count(pages),
            reading: Reading::Stream,
        };
        // One page at a time cannot get the order wrong.
        let alone = every_variant(&start(25), &limits(1, 1, 1, 1), 1);
        let alone: Vec<_> = alone[1].pages.iter().map(told).collect();
        assert_eq!(alone.len(), 25);
        for limits in [limits(8, 32, 4, 1000), limits(3, 1, 8, 4)] {
            for crawled in every_variant(&start(25), &limits, 4) {
                let found: Vec<_> = crawled.pages.iter().map(told).collect();
                assert_eq!(found, alone);
            }
        }
        // A site that is smaller than the limit ends the crawl: each page once.
        for crawled in every_variant(&start(1000), &limits(8, 4, 4, 7), 2) {
            let mut numbers: Vec<String> = crawled.pages.iter().map(|p| told(p).0).collect();
            numbers.sort();
            numbers.dedup();
            assert_eq!((numbers.len(), crawled.pages.len()), (40, 40));
        }
    }

    #[test]
    fn pages_held_stay_below_the_limits_however_many_there_are() {
        let server = server();
        let start = Start {
            urls: (0..120)
                .map(|n| server.url(&format!("page/{n}?size=60000")))
                .collect(),
            pages: count(120),
            reading: Reading::Scraper,
        };
        let limits = limits(6, 2, 2, 20);
        let all = every_variant(&start, &limits, 1);
        for (crawled, limit) in all.iter().zip([20, 10, 20, 10]) {
            assert_eq!(crawled.pages.len(), 120);
            assert!(crawled.peak_pages_held <= limit, "{crawled:?}");
        }
        assert_eq!(
            all[0].peak_pages_held, 20,
            "the barrier holds a whole batch"
        );
        assert_eq!(
            (limits.held_streaming(), limits.held_with_barrier()),
            (10, 20)
        );
    }

    #[test]
    fn what_does_not_come_or_is_no_html_is_a_result_too() {
        let server = server();
        let paths = [
            "html",
            "status/404",
            "get",
            "cut/5000",
            "not-utf8",
            "page/1",
        ];
        let start = Start {
            urls: paths.iter().map(|path| server.url(path)).collect(),
            pages: count(paths.len()),
            reading: Reading::Stream,
        };
        for crawled in every_variant(&start, &limits(2, 1, 1, 1000), 1) {
            let kinds: Vec<&str> = crawled
                .pages
                .iter()
                .map(|page| match &page.finding {
                    Finding::Parsed { note: None, .. } => "parsed",
                    Finding::Parsed { note: Some(_), .. } => "noted",
                    Finding::Skipped { .. } => "skipped",
                    Finding::Failed { .. } => "failed",
                })
                .collect();
            assert_eq!(
                kinds,
                ["parsed", "failed", "skipped", "failed", "noted", "parsed"]
            );
        }
    }
}
