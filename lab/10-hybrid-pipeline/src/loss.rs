//! A worker process is killed in mid-crawl, by the crawl itself.

use crate::{
    frontier::{Frontier, Limits, PageReport, Start},
    stream_pages,
    workers::Parser,
};
use futures_util::future::join;
use std::io;
use web::AsyncClient;

/// Crawls without a barrier, and kills one of the worker processes once `after` pages have a result.
///
/// # Errors
/// The system does not let the worker be killed.
pub async fn crawl_losing_a_worker(
    client: &AsyncClient,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
    after: usize,
) -> io::Result<Vec<PageReport>> {
    let frontier = Frontier::new(start);
    let kill_one = async {
        frontier.until_settled(after).await;
        match parser {
            Parser::Processes(pool) => pool.worker_ids().first().map_or(Ok(()), |id| kill(*id)),
            Parser::Inline | Parser::Rayon(_) => Ok(()),
        }
    };
    let crawl = stream_pages(client, &frontier, parser, limits);
    join(crawl, kill_one).await.1?;
    Ok(frontier.finish())
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
