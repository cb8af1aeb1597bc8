//! The pipeline in every way of parsing; worker processes are copies of this lesson's program.

use lab_10_hybrid_pipeline::{
    Limits, Start, crawl_streaming, crawl_with_barrier,
    frontier::{Outcome, PageReport},
    loss::crawl_losing_a_worker,
    parse::Reading,
    workers::{Parser, Way},
};
use process_pool::child::Program;
use std::{num::NonZeroUsize, process, time::Duration};
use web::{Server, ServerConfig, async_client, server::page_title};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

fn count(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("tests ask for at least one")
}

fn limits(in_flight: usize, queue: usize, batch: usize) -> Limits {
    Limits {
        in_flight: count(in_flight),
        queue: count(queue),
        at_parser: count(4),
        batch: count(batch),
    }
}

fn server() -> Server {
    Server::in_process(0, ServerConfig::default()).expect("a server in this process")
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// Crawls with and without the barrier in every way.
fn every_variant(start: &Start, limits: &Limits, workers: usize) -> Vec<Vec<PageReport>> {
    let client = async_client(Duration::from_secs(30));
    let crawl = |way| {
        let parser = Parser::start(way, count(workers), Program::at(BINARY)).expect("it starts");
        let barrier = block_on(crawl_with_barrier(&client, start, &parser, limits));
        let streaming = block_on(crawl_streaming(&client, start, &parser, limits));
        parser.finish();
        [barrier, streaming]
    };
    [Way::Inline, Way::Rayon, Way::Processes]
        .into_iter()
        .flat_map(crawl)
        .collect()
}

/// URL path, title and number of links.
fn found(page: &PageReport) -> (String, String, usize) {
    let Outcome::Parsed { parsed, .. } = &page.outcome else {
        panic!("{page:?}");
    };
    (
        page.url.path().to_owned(),
        parsed.title.clone(),
        parsed.links,
    )
}

#[test]
fn every_variant_finds_each_pages_title_and_links_in_order() {
    let server = server();
    for (pages, workers) in [(0, 1), (1, 2), (40, 3)] {
        let urls = (0..pages).map(|n| server.url(&format!("page/{n}?size=2000")));
        let start = Start {
            urls: urls.collect(),
            pages: count(pages.max(1)),
            reading: Reading::Scraper,
        };
        let numbers = 0..u32::try_from(pages).expect("few");
        let expected = numbers.map(|n| (format!("/page/{n}"), page_title(0, n), 5));
        let expected: Vec<_> = expected.collect();
        for crawled in every_variant(&start, &limits(5, 4, 1000), workers) {
            assert_eq!(crawled.iter().map(found).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_crawl_follows_links_breadth_first_whichever_is_faster() {
    let server = server();
    let start = |pages| Start {
        urls: vec![server.url("page/0?size=500&count=40")],
        pages: count(pages),
        reading: Reading::Stream,
    };
    // One page at a time cannot get the order wrong.
    let alone = every_variant(&start(25), &limits(1, 1, 1), 1);
    let alone: Vec<_> = alone[1].iter().map(found).collect();
    assert_eq!(alone.len(), 25);
    for crawled in every_variant(&start(25), &limits(8, 1, 4), 4) {
        assert_eq!(crawled.iter().map(found).collect::<Vec<_>>(), alone);
    }
    // A site that is smaller than the limit ends the crawl: each page once.
    for crawled in every_variant(&start(1000), &limits(8, 4, 7), 2) {
        let mut paths: Vec<String> = crawled.iter().map(|page| found(page).0).collect();
        paths.sort();
        paths.dedup();
        assert_eq!((paths.len(), crawled.len()), (40, 40));
    }
}

#[test]
fn what_does_not_come_or_is_no_html_is_a_result_too() {
    let server = server();
    let paths = ["html", "status/404", "get", "cut/5000", "page/1"];
    let start = Start {
        urls: paths.iter().map(|path| server.url(path)).collect(),
        pages: count(paths.len()),
        reading: Reading::Stream,
    };
    for crawled in every_variant(&start, &limits(2, 1, 1000), 1) {
        let kind = |page: &PageReport| match &page.outcome {
            Outcome::Parsed { .. } => "parsed",
            Outcome::Skipped(_) => "skipped",
            Outcome::Failed(_) => "failed",
        };
        let kinds: Vec<&str> = crawled.iter().map(kind).collect();
        assert_eq!(kinds, ["parsed", "failed", "skipped", "failed", "parsed"]);
    }
}

#[cfg(unix)]
#[test]
fn a_worker_killed_in_mid_crawl_costs_no_page() {
    let server = server();
    let client = async_client(Duration::from_secs(30));
    let parser = Parser::start(Way::Processes, count(2), Program::at(BINARY)).expect("it starts");
    let start = Start {
        urls: vec![server.url("page/0?size=2000&count=60")],
        pages: count(1000),
        reading: Reading::Scraper,
    };
    let limits = limits(4, 4, 1000);
    let crawl = crawl_losing_a_worker(&client, &start, &parser, &limits, 20);
    let crawled = block_on(crawl).expect("its own workers may be killed");
    assert_eq!(crawled.len(), 60);
    for page in &crawled {
        let Outcome::Parsed { parsed, .. } = &page.outcome else {
            panic!("{page:?}");
        };
        assert_ne!(parsed.pid, process::id());
    }
    let ledger = parser.finish().expect("processes have a ledger");
    assert_eq!((ledger.done, ledger.failed), (60, 0), "{ledger:?}");
    assert!(ledger.workers_lost >= 1, "{ledger:?}");
}
