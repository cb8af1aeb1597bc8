//! Cancellation by drop: what a future has read and not handed on goes with it.

use std::time::Duration;
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

/// The pause after each half.
pub const PAUSE: Duration = Duration::from_millis(5);

/// The messages that the reader handed on, and how many reads it dropped for a heartbeat.
pub type Received = (Vec<u64>, usize);

/// Sends messages, numbered from 1, to a reader, [`receive_losing`] or [`receive_keeping`]; a heartbeat
/// follows every so many halves.
pub async fn exchange(
    messages: u64,
    heartbeat_every: u64,
    reader: impl AsyncFnOnce(DuplexStream, Receiver<()>) -> Received,
) -> Received {
    // Room for one half: the next is written only when the reader has taken the one before, so what a
    // heartbeat interrupts does not depend on the clock.
    let ((write, read), (beat, heartbeats)) = (duplex(HALF_BYTES), channel(1));
    let sending = send(messages, heartbeat_every, write, beat);
    join!(sending, reader(read, heartbeats)).1
}

/// Reads with a future that holds half a message while it waits for the rest.
#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
pub async fn receive_losing(mut pipe: DuplexStream, mut heartbeats: Receiver<()>) -> Received {
    let (mut handed_on, mut dropped_reads) = Received::default();
    loop {
        select! {
            biased;
            // Not cancel safe: the bytes read so far are in this future.
            message = pipe.read_u64() => match message {
                Ok(number) => handed_on.push(number),
                Err(_closed) => return (handed_on, dropped_reads),
            },
            // BUG (on purpose): this branch drops the read, and with it what it has read so far.
            Some(()) = heartbeats.recv() => dropped_reads += 1,
        }
    }
}

/// Reads into a buffer that outlives the future.
#[tracing::instrument(name = "task", skip_all, fields(task = "reader", wait = "io"))]
pub async fn receive_keeping(mut pipe: DuplexStream, mut heartbeats: Receiver<()>) -> Received {
    let (mut handed_on, mut dropped_reads) = Received::default();
    // It outlives every read.
    let mut kept = Vec::with_capacity(MESSAGE_BYTES);
    loop {
        select! {
            biased;
            // Cancel safe: it appends bytes and is done, or has read none.
            read = pipe.read_buf(&mut kept) => match read {
                Ok(0) | Err(_) => return (handed_on, dropped_reads),
                Ok(_) => while let Some(whole) = kept.first_chunk() {
                    handed_on.push(u64::from_be_bytes(*whole));
                    kept.drain(..MESSAGE_BYTES);
                },
            },
            Some(()) = heartbeats.recv() => dropped_reads += 1,
        }
    }
}

#[tracing::instrument(name = "task", skip_all, fields(task = "writer", wait = "sleep"))]
async fn send(messages: u64, every: u64, mut pipe: DuplexStream, heartbeat: Sender<()>) {
    let mut halves = 0_u64;
    for number in 1..=messages {
        for half in number.to_be_bytes().chunks(HALF_BYTES) {
            pipe.write_all(half).await.expect("it has a reader");
            halves += 1;
            if halves.is_multiple_of(every) {
                // The reader keeps its end until this one is closed.
                let _ = heartbeat.send(()).await;
            }
            time::sleep(PAUSE).await;
        }
    }
}
