//! The tasks' side: `tokio::net`, and a task that waits leaves its thread to the others.

use crate::MOST_DRAWN;
use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Builder,
    sync::Semaphore,
    task::JoinHandle,
};
use tracing::{Instrument, Span, info_span};
use web::venue::{Answer, LINE_BYTES, Request};

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let mut runtime = Builder::new_current_thread();
    // Its further threads, which `spawn_blocking` starts, do nothing else.
    let runtime = runtime.thread_name("pricing").enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// A connection to the venue, which has greeted.
async fn connect(venue: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(venue).await?;
    let mut stream = BufReader::with_capacity(LINE_BYTES, stream);
    stream.read_line(&mut String::new()).await?;
    Ok(stream)
}

/// Asks, and suspends this task until the answer is there.
///
/// # Cancel safety
/// None: an answer half read is lost, so a connection whose future was dropped is of no more use.
async fn ask(stream: &mut BufReader<TcpStream>, request: Request) -> io::Result<Answer> {
    let line = request.line();
    stream.get_mut().write_all(line.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Answer::to(&request, &line)
}

/// Asks for each quote and buys at it, in a task and on a connection of its own, `limit` at a time.
///
/// # Errors
/// A connection or a request failed.
pub async fn trade_with_tasks(
    venue: SocketAddr,
    quotes: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    let permits = Arc::new(Semaphore::new(limit.get()));
    let mut tasks = Vec::with_capacity(quotes.len());
    for &quote in quotes {
        let permit = Arc::clone(&permits).acquire_owned().await;
        // One after the other: the venue's queue for connections is not endless.
        let mut stream = connect(venue).await?;
        let trade = async move {
            let _permit = permit;
            let buy_at = Some(ask(&mut stream, quote).await?.price);
            ask(&mut stream, Request { buy_at, ..quote }).await
        };
        let waiting = match limit.get() <= MOST_DRAWN {
            true => info_span!("trade", task = quote.id, wait = "io"),
            false => Span::none(),
        };
        tasks.push(tokio::spawn(trade.instrument(waiting)));
    }
    gather(tasks).await.into_iter().collect()
}

/// What the tasks return, in their order: Python's `asyncio.gather`.
pub(crate) async fn gather<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("no task panics"));
    }
    results
}
