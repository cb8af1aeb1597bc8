//! The tasks' side: `tokio::net`, and a task that waits gives its thread to the next.

use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Builder,
    sync::Semaphore,
    task::JoinHandle,
};
use tracing::{Instrument, info_span};
use web::venue::{Answer, LINE_BYTES, Request};

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// A connection to the venue, which has greeted.
pub(crate) async fn connect(venue: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(venue).await?;
    let mut stream = BufReader::with_capacity(LINE_BYTES, stream);
    stream.read_line(&mut String::new()).await?;
    Ok(stream)
}

/// Asks, and suspends this task until the answer is there.
///
/// # Cancel safety
/// None: an answer half read is lost, so a connection whose future was dropped is of no more use.
pub(crate) async fn ask(
    stream: &mut BufReader<TcpStream>,
    request: &Request,
) -> io::Result<Answer> {
    let line = request.line();
    stream.get_mut().write_all(line.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Answer::to(request, &line)
}

/// Asks everything in a task each, at most `limit` of them in flight.
///
/// # Errors
/// A request failed.
pub async fn trade_with_tasks(
    venue: SocketAddr,
    requests: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    let permits = Arc::new(Semaphore::new(limit.get()));
    let spawn = |&request: &Request| {
        let permits = Arc::clone(&permits);
        tokio::spawn(async move {
            let _permit = permits.acquire().await.expect("it is never closed");
            let mut stream = connect(venue).await?;
            let waiting = info_span!("ask", task = request.id, wait = "io");
            ask(&mut stream, &request).instrument(waiting).await
        })
    };
    let tasks = requests.iter().map(spawn).collect();
    gather(tasks).await.into_iter().collect()
}

/// Has every request in flight at once, each in a task and on a connection of its own.
///
/// # Errors
/// A connection or a request failed.
#[tracing::instrument(name = "burst", skip_all, fields(wait = "io"))]
pub async fn burst_with_tasks(venue: SocketAddr, requests: &[Request]) -> io::Result<Vec<Answer>> {
    // One after the other: the venue's queue for connections is not endless.
    let mut streams = Vec::with_capacity(requests.len());
    for _ in requests {
        streams.push(connect(venue).await?);
    }
    let spawn = |(mut stream, &request): (BufReader<TcpStream>, &Request)| {
        tokio::spawn(async move { ask(&mut stream, &request).await })
    };
    let tasks = streams.into_iter().zip(requests).map(spawn).collect();
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
