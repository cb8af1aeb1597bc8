//! Cancellation by drop: what a future has read and not handed on goes with it.

use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    select,
    sync::mpsc,
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

/// What came of it.
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
    let (tx, rx, heartbeats) = ends();
    let (sent, received) = tokio::join!(
        send_halves(plan, tx.0, tx.1),
        receive_losing_bytes(rx, heartbeats)
    );
    sent.and(received)
}

/// Reads into a buffer that outlives the future.
///
/// # Errors
/// The pipe breaks.
pub async fn read_keeping_bytes(plan: Plan) -> io::Result<Received> {
    let (tx, rx, heartbeats) = ends();
    let (sent, received) = tokio::join!(
        send_halves(plan, tx.0, tx.1),
        receive_keeping_bytes(rx, heartbeats)
    );
    sent.and(received)
}

type WriteEnds = (DuplexStream, mpsc::Sender<()>);

fn ends() -> (WriteEnds, DuplexStream, mpsc::Receiver<()>) {
    // Room for one half: the next is written only when the reader has taken the one before, so
    // what a heartbeat interrupts does not hang on the clock.
    let (write, read) = tokio::io::duplex(HALF_BYTES);
    let (heartbeat, heartbeats) = mpsc::channel(1);
    ((write, heartbeat), read, heartbeats)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(messages: u64, heartbeat_every: u64) -> Plan {
        Plan {
            messages,
            heartbeat_every,
            pause: Duration::ZERO,
        }
    }

    /// Runs it in paused time, which leaps from pause to pause.
    fn run(reading: impl Future<Output = io::Result<Received>>) -> Received {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let runtime = runtime.expect("a runtime starts");
        runtime.block_on(reading).expect("the pipe holds")
    }

    fn losing(plan: Plan) -> Received {
        run(read_losing_bytes(plan))
    }

    fn keeping(plan: Plan) -> Received {
        run(read_keeping_bytes(plan))
    }

    #[test]
    fn half_a_message_dropped_shifts_all_that_follow() {
        // A heartbeat after the third half: half of message 2 is in the dropped read.
        let received = losing(plan(4, 3));
        // The sixth half is in the second read that is dropped, and the frames are right again.
        assert_eq!(received.handed_on, [1, 2 << 32, 4]);
        assert_eq!(received.dropped_reads, 2);
    }

    #[test]
    fn a_heartbeat_between_messages_costs_nothing() {
        assert_eq!(losing(plan(5, 2)).handed_on, [1, 2, 3, 4, 5]);
        assert_eq!(losing(plan(0, 1)), Received::default());
    }

    proptest! {
        #[test]
        fn what_is_kept_outside_the_future_is_never_lost(messages in 0..60_u64, every in 1..20_u64) {
            let received = keeping(plan(messages, every));
            prop_assert!(received.handed_on.iter().copied().eq(1..=messages));
            // The end and a heartbeat after the last half may come together.
            let last = 2 * messages / every;
            let first = (2 * messages).saturating_sub(1) / every;
            prop_assert!((first..=last).contains(&(received.dropped_reads as u64)));
        }

        #[test]
        fn the_losing_reader_hands_on_no_message_twice(messages in 0..60_u64, every in 1..20_u64) {
            let received = losing(plan(messages, every));
            let right = received.handed_on.iter().filter(|&&number| number <= messages);
            prop_assert!(right.is_sorted_by(|a, b| a < b));
            prop_assert!(received.handed_on.len() as u64 <= messages);
        }
    }
}
