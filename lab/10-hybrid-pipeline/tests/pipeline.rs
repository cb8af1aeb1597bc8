//! The pipeline with worker processes, which are copies of this lesson's program.

#![cfg(unix)]

use lab_10_hybrid_pipeline::{
    Limits, Start, crawl_streaming, crawl_with_barrier,
    outcome::{Crawled, Finding},
    parse::Reading,
    workers::{Parser, Way},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use process_pool::child::Program;
use std::{num::NonZeroUsize, process, time::Duration};
use tokio::{runtime::Runtime, task::yield_now};
use web::{Server, ServerConfig, async_client, server::page_title};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-10-hybrid-pipeline");

fn count(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("tests ask for at least one")
}

fn processes(workers: usize) -> Parser {
    Parser::start(Way::Processes, count(workers), Program::at(BINARY)).expect("workers start")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn limits(workers: usize) -> Limits {
    Limits {
        in_flight: count(4),
        queue: count(4),
        at_parser: count(2 * workers),
        batch: count(1000),
    }
}

/// Asserts that every page of the ring of `pages` was parsed once, elsewhere; their numbers.
fn assert_complete(crawled: &Crawled, pages: usize) {
    assert_eq!(crawled.pages.len(), pages);
    let mut titles: Vec<&str> = Vec::new();
    for page in &crawled.pages {
        let Finding::Parsed {
            title, pid, links, ..
        } = &page.finding
        else {
            panic!("{page:?}");
        };
        assert_ne!(*pid, process::id());
        assert_eq!(*links, 5);
        titles.push(title);
    }
    let count = u32::try_from(pages).expect("few");
    let mut expected: Vec<String> = (0..count).map(|n| page_title(0, n)).collect();
    expected.sort();
    titles.sort_unstable();
    assert_eq!(titles, expected);
}

fn ring(server: &Server, pages: usize) -> Start {
    Start {
        urls: vec![server.url(&format!("page/0?size=2000&count={pages}"))],
        pages: count(1000),
        reading: Reading::Scraper,
    }
}

#[test]
fn processes_find_what_the_pages_hold_with_and_without_the_barrier() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let client = async_client(Duration::from_secs(30));
    for workers in [1, 3] {
        let (parser, limits) = (processes(workers), limits(workers));
        let start = ring(&server, 30);
        let barrier = crawl_with_barrier(&client, &start, &parser, &limits);
        let streaming = crawl_streaming(&client, &start, &parser, &limits);
        let runtime = runtime();
        assert_complete(&runtime.block_on(barrier), 30);
        assert_complete(&runtime.block_on(streaming), 30);
        let ledger = parser.finish().expect("processes have a ledger");
        assert!(ledger.balances() && ledger.done == 60, "{ledger:?}");
    }
}

#[test]
fn a_worker_killed_in_mid_crawl_costs_no_page() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server");
    let client = async_client(Duration::from_secs(30));
    let parser = processes(2);
    let Parser::Processes(pool) = &parser else {
        unreachable!("it was asked for")
    };
    let (start, limits) = (ring(&server, 120), limits(2));
    let crawled = runtime().block_on(async {
        let killing = async {
            let mut victims = Vec::new();
            for done in [20, 60] {
                let victim = loop {
                    let ids = pool.worker_ids();
                    let alive = ids.into_iter().find(|id| !victims.contains(id));
                    match alive.filter(|_| pool.ledger().done >= done) {
                        Some(victim) => break victim,
                        None => yield_now().await,
                    }
                };
                victims.push(victim);
                let victim = Pid::from_raw(victim.try_into().expect("a pid"));
                kill(victim, Signal::SIGKILL).expect("a worker of this test");
            }
        };
        tokio::join!(crawl_streaming(&client, &start, &parser, &limits), killing).0
    });
    assert_complete(&crawled, 120);
    assert!(crawled.peak_pages_held <= limits.held_streaming());
    let ledger = parser.finish().expect("processes have a ledger");
    assert!(ledger.workers_lost >= 2, "{ledger:?}");
    assert_eq!((ledger.done, ledger.failed), (120, 0));
}
