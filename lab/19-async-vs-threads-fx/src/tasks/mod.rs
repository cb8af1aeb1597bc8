//! The tasks' side: `tokio::net`, and a task that waits gives its thread to the next.

mod burst;
mod trade;

pub use burst::burst_with_tasks;
pub use trade::trade_with_tasks;

use crate::protocol::{Outcome, RequestError, Target, greeted, understood};
use std::io;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    runtime::Builder,
    time,
};
use web::venue::{LINE_BYTES, Request};

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// A connection of one's own to the venue: one line out, one line in.
#[derive(Debug)]
pub struct Client {
    target: Target,
    lines: BufReader<TcpStream>,
    line: String,
}

impl Client {
    /// Connects; the venue has yet to greet.
    async fn open(target: Target) -> Result<Self, RequestError> {
        let stream = TcpStream::connect(target.address).await;
        let stream = stream.map_err(|error| RequestError::connect(&target, &error))?;
        Ok(Self {
            target,
            lines: BufReader::with_capacity(LINE_BYTES, stream),
            line: String::new(),
        })
    }

    /// Connects and waits to be greeted.
    ///
    /// # Errors
    /// The venue cannot be reached.
    pub async fn connect(target: Target) -> Result<Self, RequestError> {
        let mut client = Self::open(target).await?;
        client.read_greeting().await?;
        Ok(client)
    }

    async fn read_greeting(&mut self) -> Result<(), RequestError> {
        let target = self.target;
        let line = self.read_line().await;
        greeted(line.map_err(|error| RequestError::broken(&target, &error))?)
    }

    async fn read_line(&mut self) -> io::Result<&str> {
        self.line.clear();
        let reading = self.lines.read_line(&mut self.line);
        time::timeout(self.target.timeout, reading).await??;
        Ok(&self.line)
    }

    /// Asks, and suspends this task until the answer is there.
    ///
    /// # Errors
    /// The venue hung up, was silent for too long, or rejected the request.
    ///
    /// # Cancel safety
    /// None: an answer half read is lost, so a client whose future was dropped is of no more use.
    pub async fn ask(&mut self, request: &Request) -> Outcome {
        let target = self.target;
        let line = request.line();
        let line = match self.lines.get_mut().write_all(line.as_bytes()).await {
            Ok(()) => self.read_line().await,
            Err(error) => Err(error),
        };
        understood(
            request,
            line.map_err(|error| RequestError::broken(&target, &error))?,
        )
    }
}
