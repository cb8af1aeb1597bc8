//! A worker process is killed in mid-crawl, by the crawl itself.

use crate::{
    Limits, Start, crawl::Frontier, fetch::Gauge, outcome::Crawled, stream_pages, workers::Parser,
};
use futures_util::future::{Either, select};
use reqwest::Client;
use std::{cell::Cell, io, pin::pin};

/// Crawls without a barrier, and kills one of the worker processes once `after` pages are settled.
///
/// Its id comes back with the crawl: `None` when the crawl was over before, or nobody is a process.
///
/// # Errors
/// The system does not let the worker be killed.
pub async fn crawl_losing_a_worker(
    client: &Client,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
    after: usize,
) -> io::Result<(Crawled, Option<u32>)> {
    let (frontier, gauge) = (Frontier::new(start), Gauge::default());
    let killed = Cell::new(None);
    let kill_one = async {
        frontier.until_settled(after).await;
        let Parser::Processes(pool) = parser else {
            return;
        };
        let alive = pool.worker_ids();
        // Who has reported nothing for longest is in the middle of a page if anybody is.
        let longest = frontier.longest_at_work();
        let victim = longest.filter(|id| alive.contains(id));
        if let Some(victim) = victim.or(alive.first().copied()) {
            killed.set(Some(kill(victim).map(|()| victim)));
        }
    };
    {
        let crawl = pin!(stream_pages(client, &frontier, &gauge, parser, limits));
        // Once one is killed, or nobody is, the crawl goes on to its end.
        if let Either::Right(((), crawl)) = select(crawl, pin!(kill_one)).await {
            crawl.await;
        }
    }
    let killed = killed.take().transpose()?;
    Ok((frontier.finish(gauge.peak()), killed))
}

#[cfg(unix)]
fn kill(id: u32) -> io::Result<()> {
    use nix::{
        sys::signal::{self, Signal},
        unistd::Pid,
    };
    let pid = i32::try_from(id).map_err(io::Error::other)?;
    Ok(signal::kill(Pid::from_raw(pid), Signal::SIGKILL)?)
}

#[cfg(not(unix))]
fn kill(_: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
