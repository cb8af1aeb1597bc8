//! A bounded queue between a producer and its consumers, and two ways to say that nothing follows.
//!
//! What is put into the queue belongs to whoever takes it:
//!
//! ```compile_fail,E0382
//! let (tx, rx) = crossbeam::channel::bounded(2);
//! let item = String::from("first");
//! tx.send(item).unwrap();
//! println!("{item}, {rx:?}");
//! ```

use crossbeam::channel::{Receiver, RecvError, SendError, Sender, bounded};
use measure::workload::io_wait_blocking;
use std::{
    panic::panic_any,
    thread::{self, Builder},
    time::Duration,
};

/// Something to make, to pass on and to handle.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Its number, from 1.
    pub number: u64,
    /// How long the producer needs to make it.
    pub makes: Duration,
    /// How long a consumer needs to handle it.
    pub takes: Duration,
    /// Whether its consumer panics.
    pub is_bad: bool,
}

/// What a consumer panics with when it meets a bad item.
pub struct BadItem;

/// The numbers of the items that each consumer handled, in its order, and how many threads panicked.
pub type Consumed = (Vec<Vec<u64>>, usize);

/// Sends the items, and then one sentinel for each consumer: Python's `None`.
pub fn run_with_sentinels(items: &[Item], consumers: usize, capacity: usize) -> Consumed {
    let (tx, rx) = bounded(capacity);
    // Kept outside of the consumers: what one of them has handled outlives its panic.
    let mut handled = vec![Vec::new(); consumers];
    let panics = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, handled) in (1..).zip(&mut handled) {
            let rx = rx.clone();
            let consume = move || {
                // After its sentinel a consumer must stop: the next one is for another consumer.
                while let Ok(Some(item)) = receive(&rx) {
                    handle(item);
                    handled.push(item.number);
                }
            };
            let thread = Builder::new().name(format!("consumer {number}"));
            threads.push(thread.spawn_scoped(scope, consume).expect("it starts"));
        }
        drop(rx);
        let produce = move || {
            for item in items {
                io_wait_blocking(item.makes);
                if send(&tx, Some(item)).is_err() {
                    // No consumer is left.
                    return;
                }
            }
            for _ in 0..consumers {
                let _ = send(&tx, None);
            }
        };
        let thread = Builder::new().name("producer".into());
        threads.push(thread.spawn_scoped(scope, produce).expect("it starts"));
        threads.into_iter().filter_map(|it| it.join().err()).count()
    });
    (handled, panics)
}

/// Sends the items, and closes the queue: one end for all consumers, however many.
pub fn run_until_closed(items: &[Item], consumers: usize, capacity: usize) -> Consumed {
    let (tx, rx) = bounded(capacity);
    let mut handled = vec![Vec::new(); consumers];
    let panics = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, handled) in (1..).zip(&mut handled) {
            let rx = rx.clone();
            let consume = move || {
                while let Ok(item) = receive(&rx) {
                    handle(item);
                    handled.push(item.number);
                }
            };
            let thread = Builder::new().name(format!("consumer {number}"));
            threads.push(thread.spawn_scoped(scope, consume).expect("it starts"));
        }
        // A receiver kept here would let the producer wait for consumers that are gone.
        drop(rx);
        let produce = move || {
            for item in items {
                io_wait_blocking(item.makes);
                if send(&tx, item).is_err() {
                    return;
                }
            }
            // The only sender is dropped here. What is in the queue can still be taken.
        };
        let thread = Builder::new().name("producer".into());
        threads.push(thread.spawn_scoped(scope, produce).expect("it starts"));
        threads.into_iter().filter_map(|it| it.join().err()).count()
    });
    (handled, panics)
}

/// Waits for room: backpressure. Where no consumer is left, the message comes back.
#[tracing::instrument(skip_all, fields(wait = "queue full"))]
fn send<M>(tx: &Sender<M>, message: M) -> Result<(), SendError<M>> {
    tx.send(message)?;
    tracing::info!(queue = "items queued", depth = tx.len());
    Ok(())
}

/// Waits for a message; an error says that the queue is closed and empty.
#[tracing::instrument(skip_all, fields(wait = "queue empty"))]
fn receive<M>(rx: &Receiver<M>) -> Result<M, RecvError> {
    let message = rx.recv()?;
    tracing::info!(queue = "items queued", depth = rx.len());
    Ok(message)
}

#[tracing::instrument(skip_all)]
fn handle(item: &Item) {
    io_wait_blocking(item.takes);
    if item.is_bad {
        panic_any(BadItem);
    }
}

#[cfg(test)]
mod tests;
