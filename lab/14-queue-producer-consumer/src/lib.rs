//! A bounded queue between a producer and its consumers, and two ways to say that nothing follows.
//!
//! The queue holds a few items and no more: a producer that is ahead waits for room, a consumer
//! that is ahead waits for an item. What is put into the queue belongs to whoever takes it:
//!
//! ```compile_fail,E0382
//! let (tx, rx) = crossbeam::channel::bounded(2);
//! let item = String::from("first");
//! tx.send(item).unwrap();
//! println!("{item}, {rx:?}");
//! ```

mod plan;

pub use plan::Plan;

use crossbeam::channel::{Receiver, RecvError, SendError, Sender, bounded};
use measure::workload::io_wait_blocking;
use std::{
    panic::{panic_any, resume_unwind},
    thread::{self, Builder, ScopedJoinHandle},
};

/// What each consumer handled, in its order, and the items on which a consumer panicked.
pub type Consumed = (Vec<Vec<u64>>, Vec<u64>);

/// What a consumer panics with when it meets the bad item: the number of that item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadItem(pub u64);

/// Sends the items, and then one sentinel for each consumer: Python's `None`.
pub fn run_with_sentinels(plan: &Plan) -> Consumed {
    // Kept outside of the consumers: what one of them has handled outlives its panic.
    let mut handled = vec![Vec::new(); plan.consumers.get()];
    let failed = thread::scope(|scope| {
        let (tx, rx) = bounded(plan.capacity.get());
        let mut consumers = Vec::new();
        for (number, handled) in (1..).zip(&mut handled) {
            let rx = rx.clone();
            let consume = move || {
                // After its sentinel a consumer must stop: the next one is for somebody else.
                while let Ok(Some(item)) = take(&rx) {
                    handle(plan, item);
                    handled.push(item);
                }
            };
            let thread = Builder::new().name(format!("consumer {number}"));
            consumers.push(thread.spawn_scoped(scope, consume).expect("it starts"));
        }
        drop(rx);
        let produce = move || {
            for item in 1..=plan.items {
                make(plan, item);
                if put(&tx, Some(item)).is_err() {
                    // All consumers are gone.
                    return;
                }
            }
            for _ in 0..plan.consumers.get() {
                let _ = put(&tx, None);
            }
        };
        let thread = Builder::new().name("producer".into());
        let producer = thread.spawn_scoped(scope, produce).expect("it starts");
        join(consumers, producer)
    });
    (handled, failed)
}

/// Sends the items, and closes the queue: one end for all consumers, however many.
pub fn run_until_closed(plan: &Plan) -> Consumed {
    let mut handled = vec![Vec::new(); plan.consumers.get()];
    let failed = thread::scope(|scope| {
        let (tx, rx) = bounded(plan.capacity.get());
        let mut consumers = Vec::new();
        for (number, handled) in (1..).zip(&mut handled) {
            let rx = rx.clone();
            let consume = move || {
                while let Ok(item) = take(&rx) {
                    handle(plan, item);
                    handled.push(item);
                }
            };
            let thread = Builder::new().name(format!("consumer {number}"));
            consumers.push(thread.spawn_scoped(scope, consume).expect("it starts"));
        }
        // A receiver kept here would let the producer wait for consumers that are gone.
        drop(rx);
        let produce = move || {
            for item in 1..=plan.items {
                make(plan, item);
                if put(&tx, item).is_err() {
                    return;
                }
            }
            // The only sender is dropped here. What is in the queue can still be taken.
        };
        let thread = Builder::new().name("producer".into());
        let producer = thread.spawn_scoped(scope, produce).expect("it starts");
        join(consumers, producer)
    });
    (handled, failed)
}

/// Waits for room: backpressure. Where no consumer is left, the message comes back.
#[tracing::instrument(skip_all, fields(wait = "queue full"))]
fn put<M>(tx: &Sender<M>, message: M) -> Result<(), SendError<M>> {
    tx.send(message)?;
    tracing::info!(queue = "items queued", depth = tx.len());
    Ok(())
}

/// Waits for a message; an error says that the queue is closed and empty.
#[tracing::instrument(skip_all, fields(wait = "queue empty"))]
fn take<M>(rx: &Receiver<M>) -> Result<M, RecvError> {
    let message = rx.recv()?;
    tracing::info!(queue = "items queued", depth = rx.len());
    Ok(message)
}

fn make(plan: &Plan, item: u64) {
    if plan.making.is_some() {
        io_wait_blocking(plan.making(item));
    }
}

#[tracing::instrument(skip_all)]
fn handle(plan: &Plan, item: u64) {
    io_wait_blocking(plan.handling(item));
    if plan.bad_item == Some(item) {
        panic_any(BadItem(item));
    }
}

/// Waits for all threads; the items on which a consumer panicked.
fn join(consumers: Vec<ScopedJoinHandle<'_, ()>>, producer: ScopedJoinHandle<'_, ()>) -> Vec<u64> {
    let threads = consumers.into_iter().chain([producer]);
    threads
        .filter_map(|thread| thread.join().err())
        .map(|panic| match panic.downcast::<BadItem>() {
            Ok(bad) => bad.0,
            Err(panic) => resume_unwind(panic),
        })
        .collect()
}

#[cfg(test)]
mod tests;
