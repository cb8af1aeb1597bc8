//! A pipeline of two stages: async tasks wait for the network, workers use the CPUs.
//!
//! [`fetch`] is the first stage, [`parse`] the second. Between them lies a bounded channel; around
//! them the [`Frontier`] hands out URLs and takes in what became of each page. The two variants
//! differ in one word: the stages are awaited one after the other, or joined.

pub mod crawl;
pub mod fetch;
pub mod parse;

use common::http::Url;
use crawl::{Crawled, Frontier};
use fetch::{Gauge, fetch_pages};
use parse::{Parser, parse_pages};
use reqwest::Client;
use std::{cell::RefCell, num::NonZeroUsize};
use tokio::sync::mpsc;

/// What to crawl.
#[derive(Clone, Debug)]
pub struct Start {
    /// The pages asked for; each is fetched once, however often it is listed.
    pub urls: Vec<Url>,
    /// The most pages to fetch; more than there are `urls` follows the links on them.
    pub pages: NonZeroUsize,
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
    let (tx, rx) = mpsc::channel(limits.queue.get());
    let next = async || frontier.next().await;
    tokio::join!(
        fetch_pages(client, next, &frontier, &gauge, limits.in_flight, tx),
        parse_pages(rx, parser, &frontier, limits.at_parser),
    );
    frontier.finish(gauge.peak())
}
