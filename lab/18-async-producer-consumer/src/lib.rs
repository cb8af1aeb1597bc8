//! A producer, a bounded queue and consumers, all tasks of one thread.
//!
//! What is in the queue has no other owner; the producer cannot touch it any more:
//!
//! ```compile_fail,E0382
//! # async fn produce(tx: tokio::sync::mpsc::Sender<String>) {
//! let item = String::from("EURUSD");
//! let _ = tx.send(item).await;
//! println!("{item}");
//! # }
//! ```

pub mod pipeline;

use std::{io, num::NonZeroUsize, panic::resume_unwind, sync::Arc, time::Duration};
use tokio::{
    runtime::Builder,
    select,
    sync::{Mutex, Notify, Semaphore, mpsc},
    time,
};
use tracing::{Instrument, info_span};

/// Something to be made and consumed.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its number, from 1.
    pub number: u64,
    /// How long a consumer needs for it.
    pub takes: Duration,
    /// Whether its consumer panics.
    pub is_poisonous: bool,
}

/// What is made, through which queue, for how many consumers.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The items in the order in which they are made.
    pub items: Vec<Item>,
    /// How long it takes to make one.
    pub makes: Duration,
    /// How many items the queue holds.
    pub capacity: usize,
    /// How many consumers take from it.
    pub consumers: NonZeroUsize,
}

/// A capacity that is never reached: with it, `channel` is `unbounded_channel`.
pub const UNBOUNDED: usize = Semaphore::MAX_PERMITS;

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    Ok(runtime.block_on(future))
}

/// Makes items and puts them into the queue, until it is to stop or all receivers are dropped.
#[tracing::instrument(name = "task", skip_all, fields(task = "producer", wait = "sleep"))]
async fn produce(items: Vec<Item>, makes: Duration, tx: mpsc::Sender<Item>, stop: Arc<Notify>) {
    for item in items {
        let make_and_send = async {
            time::sleep(makes).await;
            // The backpressure is this `await`: it returns when a consumer has made room.
            let sending = tx.send(item);
            sending
                .instrument(info_span!("send", wait = "queue full"))
                .await
        };
        select! {
            biased;
            // Dropped in the middle, `make_and_send` loses its own item and none in the queue.
            () = stop.notified() => return,
            sent = make_and_send => if sent.is_err() { return },
        }
        tracing::info!(
            queue = "items queued",
            depth = tx.max_capacity() - tx.capacity()
        );
    }
    // Here `tx` is dropped. That closes the queue: consumers get what is in it, and then `None`.
}

/// Takes and finishes items until the queue is closed and empty.
#[tracing::instrument(name = "consumer", skip_all, fields(task = number, wait = "queue empty"))]
async fn consume(
    number: usize,
    rx: Arc<Mutex<mpsc::Receiver<Item>>>,
    report: mpsc::UnboundedSender<u64>,
) {
    loop {
        // The lock ends with this block. In `while let Some(item) = rx.lock().await.recv().await`
        // it would last as long as the work, and only one consumer could work at a time.
        let item = {
            let mut rx = rx.lock().await;
            let item = rx.recv().await;
            tracing::info!(queue = "items queued", depth = rx.len());
            item
        };
        let Some(item) = item else { return };
        work_on(item).await;
        let _ = report.send(item.number);
    }
}

#[tracing::instrument(name = "consume", skip_all, fields(wait = "io"))]
async fn work_on(item: Item) {
    time::sleep(item.takes).await;
    if item.is_poisonous {
        // A panic that prints nothing: the message goes to whoever joins the task.
        resume_unwind(Box::new(format!("item {} is poisonous", item.number)));
    }
}

#[cfg(test)]
mod tests;
