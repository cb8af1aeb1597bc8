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

pub mod books;
pub mod draw;
pub mod queue;
pub mod record;

use measure::workload::{Seeded, io_wait_blocking};
use queue::{Putting, Taking, bounded};
use record::Record;
use std::{
    io,
    num::NonZeroUsize,
    ops::RangeInclusive,
    panic::{panic_any, resume_unwind},
    thread,
    time::Duration,
};

/// What goes through the queue, and how fast.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many items the producer makes; they are numbered from 1.
    pub items: u64,
    /// How many consumers take them.
    pub consumers: NonZeroUsize,
    /// How many items the queue holds.
    pub capacity: NonZeroUsize,
    /// How long an item takes to make; `None` for a producer that never pauses.
    pub making: Option<RangeInclusive<Duration>>,
    /// How long an item takes to handle.
    pub handling: RangeInclusive<Duration>,
    /// The item on which its consumer panics.
    pub bad_item: Option<u64>,
    /// The seed of all pauses.
    pub seed: u64,
}

impl Plan {
    /// How long making this item takes.
    pub fn making(&self, item: u64) -> Duration {
        let making = self.making.as_ref();
        making.map_or(Duration::ZERO, |range| self.pause(2 * item, range))
    }

    /// How long handling this item takes.
    pub fn handling(&self, item: u64) -> Duration {
        self.pause(2 * item + 1, &self.handling)
    }

    fn pause(&self, draw: u64, range: &RangeInclusive<Duration>) -> Duration {
        let [least, most] = [range.start(), range.end()].map(|pause| pause.as_nanos() as u64);
        Duration::from_nanos(Seeded::for_item(self.seed, draw).range(least..most.max(least) + 1))
    }
}

/// What a consumer panics with when it meets the bad item: the number of that item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadItem(pub u64);

/// Sends the items, and then one sentinel for each consumer: Python's `None`.
///
/// # Errors
/// The system refuses to start another thread.
pub fn run_with_sentinels(plan: &Plan) -> io::Result<Record> {
    let produce = |queue: Putting<Option<u64>>| {
        let sentinels = (0..plan.consumers.get()).map(|_| None);
        for message in (1..=plan.items).map(Some).chain(sentinels) {
            make(plan, message);
            if queue.put(message).is_err() {
                // All consumers are gone: nobody will ever make room.
                return;
            }
        }
    };
    let consume = |queue: Taking<Option<u64>>| {
        // A consumer that has read its sentinel must not read on: the next one is another's.
        while let Some(Some(item)) = queue.take() {
            handle(plan, item);
            queue.done(item);
        }
    };
    on_threads(plan, produce, consume)
}

/// Sends the items, and closes the queue: one end for all consumers, however many.
///
/// # Errors
/// The system refuses to start another thread.
pub fn run_until_closed(plan: &Plan) -> io::Result<Record> {
    let produce = |queue: Putting<u64>| {
        for item in 1..=plan.items {
            make(plan, Some(item));
            if queue.put(item).is_err() {
                return;
            }
        }
        // Here the only sender is dropped. What is in the queue can still be taken.
    };
    let consume = |queue: Taking<u64>| {
        while let Some(item) = queue.take() {
            handle(plan, item);
            queue.done(item);
        }
    };
    on_threads(plan, produce, consume)
}

/// Making a sentinel takes no time.
fn make(plan: &Plan, message: Option<u64>) {
    let pause = message.map_or(Duration::ZERO, |item| plan.making(item));
    if !pause.is_zero() {
        io_wait_blocking(pause);
    }
}

fn handle(plan: &Plan, item: u64) {
    io_wait_blocking(plan.handling(item));
    if plan.bad_item == Some(item) {
        panic_any(BadItem(item));
    }
}

/// Runs a producer and its consumers, each on a thread of its own, to their end.
///
/// Nobody keeps an end of the queue that is not in use. A spare sender would keep it from closing,
/// and a spare receiver would let a producer wait for consumers that are gone.
fn on_threads<M: queue::Message>(
    plan: &Plan,
    produce: impl FnOnce(Putting<M>) + Send,
    consume: impl Fn(Taking<M>) + Sync,
) -> io::Result<Record> {
    let (books, entries) = books::open();
    let panicked = thread::scope(|scope| {
        let (tx, rx) = bounded(plan.capacity, books);
        let start = |number| {
            let (rx, consume) = (rx.for_consumer(number), &consume);
            let thread = thread::Builder::new().name(format!("consumer {number}"));
            thread.spawn_scoped(scope, move || consume(rx))
        };
        let consumers: Vec<_> = (1..=plan.consumers.get())
            .map(start)
            .collect::<io::Result<_>>()?;
        drop(rx);
        let producer = thread::Builder::new().name("producer".into());
        let producer = producer.spawn_scoped(scope, move || produce(tx))?;
        let mut panicked = Vec::new();
        for consumer in consumers {
            match consumer.join().map_err(|panic| panic.downcast::<BadItem>()) {
                Ok(()) => {}
                Err(Ok(bad)) => panicked.push(bad.0),
                Err(Err(panic)) => resume_unwind(panic),
            }
        }
        producer.join().unwrap_or_else(|panic| resume_unwind(panic));
        io::Result::Ok(panicked)
    })?;
    Ok(Record::new(plan, entries.read(), panicked))
}

#[cfg(test)]
mod tests;
