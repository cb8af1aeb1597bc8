//! Cancellation by drop: what a future has read and not handed on goes with it.
//!
//! And by `abort`: a task stops at its next `await`, a blocking call does not stop.

use std::{
    io,
    sync::{Arc, Barrier},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    select,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time,
};

/// Bytes of a message: a number.
pub const MESSAGE_BYTES: usize = 8;
/// Bytes that are written at once; a message comes in two halves, as it may over a network.
pub const HALF_BYTES: usize = MESSAGE_BYTES / 2;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Messages, numbered from 1.
    pub messages: u64,
    /// A heartbeat follows every so many halves.
    pub heartbeat_every: u64,
    /// The pause after each half.
    pub pause: Duration,
}

/// What the reader received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The messages handed on.
    pub handed_on: Vec<u64>,
    /// Heartbeats answered, each of which dropped a read.
    pub dropped_reads: usize,
}

/// Reads with a future that holds half a message while it waits for the rest.
///
/// # Errors
/// The pipe breaks.
pub async fn read_losing_bytes(plan: Plan) -> io::Result<Received> {
    // Room for one half: the next is written only when the reader has taken the one before, so
    // what a heartbeat interrupts does not depend on the clock.
    let (write, read) = tokio::io::duplex(HALF_BYTES);
    let (tx, heartbeats) = mpsc::channel(1);
    let sending = send_halves(plan, write, tx);
    let (sent, received) = tokio::join!(sending, receive_losing_bytes(read, heartbeats));
    sent.and(received)
}

/// Reads into a buffer that outlives the future.
///
/// # Errors
/// The pipe breaks.
pub async fn read_keeping_bytes(plan: Plan) -> io::Result<Received> {
    let (write, read) = tokio::io::duplex(HALF_BYTES);
    let (tx, heartbeats) = mpsc::channel(1);
    let sending = send_halves(plan, write, tx);
    let (sent, received) = tokio::join!(sending, receive_keeping_bytes(read, heartbeats));
    sent.and(received)
}

#[tracing::instrument(name = "task", skip_all, fields(task = "writer", wait = "sleep"))]
async fn send_halves(
    plan: Plan,
    mut pipe: DuplexStream,
    heartbeat: mpsc::Sender<()>,
) -> io::Result<()> {
    let mut halves = 0_u64;
    for number in 1..=plan.messages {
        for half in number.to_be_bytes().chunks(HALF_BYTES) {
            pipe.write_all(half).await?;
            halves += 1;
            if halves.is_multiple_of(plan.heartbeat_every) {
                // The reader keeps its end until this one is closed.
                let _ = heartbeat.send(()).await;
            }
            time::sleep(plan.pause).await;
        }
    }
    Ok(())
}

#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
async fn receive_losing_bytes(
    mut pipe: DuplexStream,
    mut heartbeats: mpsc::Receiver<()>,
) -> io::Result<Received> {
    let mut received = Received::default();
    loop {
        select! {
            biased;
            message = read_message(&mut pipe) => match message {
                Ok(number) => received.handed_on.push(number),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(received),
                Err(error) => return Err(error),
            },
            // BUG (on purpose): this branch drops the read, and with it what it has read so far.
            Some(()) = heartbeats.recv() => received.dropped_reads += 1,
        }
    }
}

/// Reads one message.
///
/// # Cancel safety
/// None: the bytes read so far are in the future, and go with it.
async fn read_message(pipe: &mut DuplexStream) -> io::Result<u64> {
    let mut bytes = [0; MESSAGE_BYTES];
    pipe.read_exact(&mut bytes).await?;
    Ok(u64::from_be_bytes(bytes))
}

#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
async fn receive_keeping_bytes(
    pipe: DuplexStream,
    mut heartbeats: mpsc::Receiver<()>,
) -> io::Result<Received> {
    let mut received = Received::default();
    let kept = Vec::with_capacity(MESSAGE_BYTES);
    let mut reader = Reader { pipe, kept };
    loop {
        select! {
            biased;
            message = reader.message() => match message? {
                Some(number) => received.handed_on.push(number),
                None => return Ok(received),
            },
            Some(()) = heartbeats.recv() => received.dropped_reads += 1,
        }
    }
}

/// Reads messages, and keeps what is not yet a whole one.
struct Reader {
    pipe: DuplexStream,
    kept: Vec<u8>,
}

impl Reader {
    /// The next message; `None` at the end.
    ///
    /// # Cancel safety
    /// What has been read is in the reader, not in this future; the next call goes on from there.
    async fn message(&mut self) -> io::Result<Option<u64>> {
        loop {
            if let Some(whole) = self.kept.first_chunk() {
                let number = u64::from_be_bytes(*whole);
                self.kept.drain(..MESSAGE_BYTES);
                return Ok(Some(number));
            }
            // Cancel safe itself: it either appends bytes and is done, or has read none.
            if self.pipe.read_buf(&mut self.kept).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Begins `count` tasks and as many blocking calls, aborts all, and only then lets them go on.
///
/// Returns how many tasks, and how many calls, reached their end all the same. For at most 512
/// calls: tokio has no more threads for such, and those in its queue never begin.
pub async fn abort_in_the_middle(count: usize) -> [usize; 2] {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (go, gate) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(Barrier::new(count + 1)),
    );
    let (mut tasks, mut calls) = (JoinSet::new(), JoinSet::new());
    for number in 1..=count {
        tasks.spawn(pass(number, begun.clone(), Arc::clone(&go)));
        let (begun, gate) = (begun.clone(), Arc::clone(&gate));
        calls.spawn_blocking(move || pass_blocking(&begun, &gate));
    }
    for _ in 0..2 * count {
        begins.recv().await;
    }
    tasks.abort_all();
    calls.abort_all();
    go.add_permits(count);
    // All calls have come to the gate or are about to, so this thread is not blocked for long.
    gate.wait();
    [count_ended(tasks).await, count_ended(calls).await]
}

#[tracing::instrument(name = "task", skip_all, fields(task = number, wait = "io"))]
async fn pass(number: usize, begun: mpsc::UnboundedSender<()>, go: Arc<Semaphore>) {
    let _ = begun.send(());
    let _permit = go.acquire().await;
}

#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn pass_blocking(begun: &mpsc::UnboundedSender<()>, gate: &Barrier) {
    let _ = begun.send(());
    gate.wait();
}

/// What was aborted comes out of the set too, as an error.
async fn count_ended(mut all: JoinSet<()>) -> usize {
    let mut ended = 0;
    while let Some(outcome) = all.join_next().await {
        ended += usize::from(outcome.is_ok());
    }
    ended
}
