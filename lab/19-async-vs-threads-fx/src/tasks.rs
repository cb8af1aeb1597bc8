//! The tasks' side: `tokio::net`, and a task that waits gives its thread to the next.

use crate::threads::TIMEOUT;
use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Builder,
    sync::Semaphore,
    task::JoinSet,
    time,
};
use web::venue::{Answer, LINE_BYTES, Request};

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// A connection to the venue.
#[derive(Debug)]
pub struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects, and waits until the venue has greeted.
    ///
    /// # Errors
    /// The venue cannot be reached.
    pub async fn connect(venue: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(venue).await?;
        let mut client = Self(BufReader::with_capacity(LINE_BYTES, stream));
        client.0.read_line(&mut String::new()).await?;
        Ok(client)
    }

    /// Asks, and suspends this task until the answer is there.
    ///
    /// # Errors
    /// The venue hung up, was silent for too long, or said something else.
    ///
    /// # Cancel safety
    /// None: an answer half read is lost, so a client whose future was dropped is of no more use.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.0
            .get_mut()
            .write_all(request.line().as_bytes())
            .await?;
        let mut line = String::new();
        time::timeout(TIMEOUT, self.0.read_line(&mut line)).await??;
        Answer::to(request, &line)
    }
}

/// Asks everything in a task each, at most `limit` of them in flight.
///
/// # Errors
/// A request failed.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn trade_with_tasks(
    venue: SocketAddr,
    requests: &[Request],
    limit: NonZeroUsize,
) -> io::Result<Vec<Answer>> {
    let permits = Arc::new(Semaphore::new(limit.get()));
    let mut tasks = JoinSet::new();
    for (number, &request) in requests.iter().enumerate() {
        let permits = Arc::clone(&permits);
        tasks.spawn(async move {
            let _permit = permits.acquire().await.expect("it is never closed");
            let mut client = Client::connect(venue).await?;
            Ok((number, ask_in_task(&mut client, &request).await?))
        });
    }
    in_order(tasks).await
}

#[tracing::instrument(name = "ask", skip_all, fields(task = request.id, wait = "io"))]
async fn ask_in_task(client: &mut Client, request: &Request) -> io::Result<Answer> {
    client.ask(request).await
}

/// Has every request in flight at once, each in a task and on a connection of its own.
///
/// # Errors
/// A connection or a request failed.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
#[tracing::instrument(name = "burst", skip_all, fields(wait = "io"))]
pub async fn burst_with_tasks(venue: SocketAddr, requests: &[Request]) -> io::Result<Vec<Answer>> {
    // One after the other: the venue's queue for connections is not endless.
    let mut clients = Vec::with_capacity(requests.len());
    for _ in requests {
        clients.push(Client::connect(venue).await?);
    }
    let mut tasks = JoinSet::new();
    for (number, (mut client, &request)) in clients.into_iter().zip(requests).enumerate() {
        tasks.spawn(async move { Ok((number, client.ask(&request).await?)) });
    }
    in_order(tasks).await
}

async fn in_order(mut tasks: JoinSet<io::Result<(usize, Answer)>>) -> io::Result<Vec<Answer>> {
    let mut all = Vec::with_capacity(tasks.len());
    while let Some(joined) = tasks.join_next().await {
        all.push(joined.expect("no task panics")?);
    }
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, answer)| answer).collect())
}
