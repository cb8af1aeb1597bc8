//! The pipeline in every way of parsing; worker processes are copies of this lesson's program.

use lab_10_hybrid_pipeline::{
    Crawl, PageReport, crawl_streaming, crawl_with_barrier, follow_links, page::STREAM,
    workers::Parser,
};
use process_pool::child::Program;
use std::{num::NonZeroUsize, time::Duration};
use web::{Server, ServerConfig, Url, async_client, server::page_title};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

fn some(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("tests ask for at least one")
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

fn start(way: &str, workers: usize, kill_at: Option<u64>) -> Parser {
    let parser = Parser::start(way, &STREAM, some(workers), Program::at(BINARY), kill_at);
    parser.expect("they start")
}

fn crawl(parser: &Parser, at_once: usize) -> Crawl<'_> {
    Crawl {
        client: async_client(Duration::from_secs(30)),
        parser,
        in_flight: at_once,
        queue: at_once,
        at_parser: 4,
    }
}

/// Crawls with and without the barrier in every way.
fn every_variant(urls: &[Url], pages: usize, at_once: usize) -> Vec<Vec<PageReport>> {
    let mut all = Vec::new();
    for way in ["inline", "rayon", "processes"] {
        let parser = start(way, 3, None);
        let crawl = crawl(&parser, at_once);
        let with = follow_links(urls.into(), pages, async |urls| {
            crawl_with_barrier(&crawl, urls).await
        });
        all.push(block_on(with));
        let without = follow_links(urls.into(), pages, async |urls| {
            crawl_streaming(&crawl, urls).await
        });
        all.push(block_on(without));
    }
    all
}

/// URL path, title and number of links.
fn found((url, _, kept): &PageReport) -> (String, String, usize) {
    let (title, links) = kept.as_ref().expect("a page");
    (url.path().to_owned(), title.clone(), *links)
}

#[test]
fn every_variant_finds_each_pages_title_and_links_in_order() {
    let server = server();
    for pages in [0, 1, 40] {
        let urls = (0..pages).map(|n| server.url(&format!("page/{n}?size=2000")));
        let urls: Vec<Url> = urls.collect();
        let numbers = 0..u32::try_from(pages).expect("few");
        let expected = numbers.map(|n| (format!("/page/{n}"), page_title(0, n), 5));
        let expected: Vec<_> = expected.collect();
        for crawled in every_variant(&urls, pages.max(1), 5) {
            assert_eq!(crawled.iter().map(found).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_crawl_follows_links_breadth_first_whichever_is_faster() {
    let server = server();
    let start = [server.url("page/0?size=500&count=40")];
    // One page at a time cannot get the order wrong.
    let alone = every_variant(&start, 25, 1);
    let alone: Vec<_> = alone[1].iter().map(found).collect();
    assert_eq!(alone.len(), 25);
    for crawled in every_variant(&start, 25, 8) {
        assert_eq!(crawled.iter().map(found).collect::<Vec<_>>(), alone);
    }
    // A site that is smaller than the limit ends the crawl: each page once.
    for crawled in every_variant(&start, 1000, 8) {
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
    let urls = paths.map(|path| server.url(path));
    for crawled in every_variant(&urls, paths.len(), 2) {
        let known: Vec<bool> = crawled.iter().map(|page| page.2.is_ok()).collect();
        assert_eq!(known, [true, false, false, false, true]);
    }
}

#[cfg(unix)]
#[test]
fn a_worker_killed_in_mid_crawl_costs_no_page() {
    let server = server();
    let urls = [server.url("page/0?size=2000&count=60")];
    let parser = start("processes", 2, Some(20));
    let crawl = crawl(&parser, 4);
    let crawled = follow_links(urls.into(), 1000, async |urls| {
        crawl_streaming(&crawl, urls).await
    });
    let crawled = block_on(crawled);
    let Parser::Processes(pool, _) = parser else {
        panic!("it has processes");
    };
    let ledger = pool.shutdown(None);
    assert_eq!((ledger.done, ledger.failed), (60, 0), "{ledger:?}");
    assert_eq!(ledger.workers_lost, 1, "{ledger:?}");
    assert_eq!(crawled.iter().map(found).count(), 60);
}
