//! Cancellation by drop: what a future has read and not handed on goes with it.

use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    join, select,
    sync::mpsc::{Receiver, Sender, channel},
    time,
};

/// Bytes of a message: a number.
pub const MESSAGE_BYTES: usize = 8;
/// Bytes that are written at once; a message comes in two halves, as it may over a network.
const HALF_BYTES: usize = MESSAGE_BYTES / 2;

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

/// Sends messages and heartbeats to a reader, [`receive_losing`] or [`receive_keeping`].
///
/// # Errors
/// The pipe breaks.
pub async fn exchange(
    plan: Plan,
    reader: impl AsyncFnOnce(DuplexStream, Receiver<()>) -> io::Result<Received>,
) -> io::Result<Received> {
    // Room for one half: the next is written only when the reader has taken the one before, so what a
    // heartbeat interrupts does not depend on the clock.
    let ((write, read), (beat, heartbeats)) = (duplex(HALF_BYTES), channel(1));
    let (sent, received) = join!(send(plan, write, beat), reader(read, heartbeats));
    sent.and(received)
}

/// Reads with a future that holds half a message while it waits for the rest.
///
/// # Errors
/// The pipe breaks.
#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
pub async fn receive_losing(
    mut pipe: DuplexStream,
    mut heartbeats: Receiver<()>,
) -> io::Result<Received> {
    let mut received = Received::default();
    loop {
        select! {
            biased;
            // Not cancel safe: the bytes read so far are in this future.
            message = pipe.read_u64() => match message {
                Ok(number) => received.handed_on.push(number),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(received),
                Err(error) => return Err(error),
            },
            // BUG (on purpose): this branch drops the read, and with it what it has read so far.
            Some(()) = heartbeats.recv() => received.dropped_reads += 1,
        }
    }
}

/// Reads into a buffer that outlives the future.
///
/// # Errors
/// The pipe breaks.
#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
pub async fn receive_keeping(
    mut pipe: DuplexStream,
    mut heartbeats: Receiver<()>,
) -> io::Result<Received> {
    let mut received = Received::default();
    // It outlives every read.
    let mut kept = Vec::with_capacity(MESSAGE_BYTES);
    loop {
        select! {
            biased;
            // Cancel safe: it appends bytes and is done, or has read none.
            read = pipe.read_buf(&mut kept) => match read? {
                0 => return Ok(received),
                _ => while let Some(whole) = kept.first_chunk() {
                    received.handed_on.push(u64::from_be_bytes(*whole));
                    kept.drain(..MESSAGE_BYTES);
                },
            },
            Some(()) = heartbeats.recv() => received.dropped_reads += 1,
        }
    }
}

#[tracing::instrument(name = "task", skip_all, fields(task = "writer", wait = "sleep"))]
async fn send(plan: Plan, mut pipe: DuplexStream, heartbeat: Sender<()>) -> io::Result<()> {
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
