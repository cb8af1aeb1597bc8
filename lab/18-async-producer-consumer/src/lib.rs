//! A producer, a bounded queue and consumers, all tasks of one thread; and a task that never awaits.

use measure::workload::mix;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, mpsc},
    task::{AbortHandle, JoinSet, yield_now},
    time,
};
use tracing::{Instrument, info_span};

/// What is made, through which queue, for how many consumers.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long a consumer needs for each item, in the order in which they are made.
    pub items: Vec<Duration>,
    /// How long it takes to make one.
    pub makes: Duration,
    /// How many items the queue holds; with `Semaphore::MAX_PERMITS` it is never full.
    pub capacity: usize,
    /// How many consumers take from it.
    pub consumers: usize,
}

/// An item and its number, from 1.
type Item = (u64, Duration);

/// A producer and its consumers at work.
#[derive(Debug)]
pub struct Pipeline {
    /// Its tasks; more can be spawned beside them.
    pub tasks: JoinSet<()>,
    producer: AbortHandle,
    done: mpsc::UnboundedReceiver<u64>,
    finished: Vec<u64>,
}

impl Pipeline {
    /// Starts the tasks on the runtime that it is called on.
    pub fn start(plan: Plan) -> Self {
        let (tx, rx) = mpsc::channel(plan.capacity);
        let (report, done) = mpsc::unbounded_channel();
        // One channel has one receiver; the consumers share it.
        let rx = Arc::new(Mutex::new(rx));
        let mut tasks = JoinSet::new();
        for number in 1..=plan.consumers {
            tasks.spawn(consume(number, Arc::clone(&rx), report.clone()));
        }
        let producer = tasks.spawn(produce(plan.items, plan.makes, tx));
        Self {
            tasks,
            producer,
            done,
            finished: Vec::new(),
        }
    }

    /// Waits until `count` items are finished, or no more can be.
    pub async fn until_finished(&mut self, count: usize) {
        while self.finished.len() < count
            && let Some(number) = self.done.recv().await
        {
            self.finished.push(number);
        }
    }

    /// Stops every task at its next `await`.
    pub fn stop_at_once(&mut self) {
        // BUG (on purpose): the consumers end, too, and what the queue had accepted is lost.
        self.tasks.abort_all();
    }

    /// Stops the producer. Its `tx` is dropped, so the queue closes, and consumers empty it.
    pub fn stop_gracefully(&mut self) {
        self.producer.abort();
    }

    /// Waits for all tasks; returns the numbers of the finished items, in that order.
    pub async fn finish(mut self) -> Vec<u64> {
        while self.tasks.join_next().await.is_some() {}
        self.until_finished(usize::MAX).await;
        self.finished
    }
}

/// Makes items and puts them into the queue, until all are made or no consumer is left.
#[tracing::instrument(name = "task", skip_all, fields(task = "producer", wait = "sleep"))]
async fn produce(items: Vec<Duration>, makes: Duration, tx: mpsc::Sender<Item>) {
    for item in (1..).zip(items) {
        time::sleep(makes).await;
        // The backpressure is this `await`: it returns when a consumer has made room.
        let waiting = info_span!("send", wait = "queue full");
        if tx.send(item).instrument(waiting).await.is_err() {
            return;
        }
        let depth = tx.max_capacity() - tx.capacity();
        tracing::info!(queue = "items queued", depth);
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
        let Some((number, takes)) = item else { return };
        let working = info_span!("consume", wait = "io");
        time::sleep(takes).instrument(working).await;
        let _ = report.send(number);
    }
}

/// Computes in one go.
#[tracing::instrument(name = "compute", skip_all, fields(task = "hog", wait = "turn"))]
pub async fn compute_in_one_go(pieces: u64, steps: u64) {
    for piece in 0..pieces {
        // BUG (on purpose): no `await` in this loop, so the thread is taken until it is done.
        mix(piece, steps);
    }
}

/// Computes the same, and awaits after each piece, so that others get their turn.
#[tracing::instrument(name = "compute", skip_all, fields(task = "polite", wait = "turn"))]
pub async fn compute_yielding(pieces: u64, steps: u64) {
    for piece in 0..pieces {
        mix(piece, steps);
        // Every other task that is ready runs first; then this one goes on.
        yield_now().await;
    }
}

#[cfg(test)]
mod tests;
