//! What became of every item, worked out from the books.

mod parts;

pub use parts::{Blocked, Depth, Handled};

use crate::{
    Plan,
    books::{Entry, Event, PRODUCER},
};
use common::Tally;
use parts::{blocked, handled, out_of_order};
use serde::Serialize;
use std::collections::BTreeMap;
use timeline::Moment;

/// A run, in figures.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Items that were to be made.
    pub items: u64,
    /// Consumers at the start.
    pub consumers: usize,
    /// What the queue holds.
    pub capacity: usize,
    /// How long the run took.
    pub run_s: f64,
    /// Items that were put into the queue.
    pub put: u64,
    /// Items that were handled.
    pub done: u64,
    /// Items taken by a consumer that then panicked.
    pub failed: u64,
    /// Items that were never taken: left in the queue, or not put there at all.
    pub cancelled: u64,
    /// Items that are done, failed or cancelled.
    pub accounted: u64,
    /// Items that should be there and were not taken.
    pub missing: u64,
    /// Items that were taken again.
    pub twice: u64,
    /// Items taken after one with a higher number, by the same consumer.
    pub out_of_order: usize,
    /// Sentinels that were taken.
    pub sentinels: u64,
    /// The items on which consumers panicked.
    pub panicked: Vec<u64>,
    /// How many items each consumer took.
    pub taken_by: Vec<usize>,
    /// The fewest items that one consumer took.
    pub least_taken: usize,
    /// The most messages in the queue.
    pub peak_depth: usize,
    /// How long the producer waited for room.
    pub producer_blocked_s: f64,
    /// How long the consumers waited for a message, all together.
    pub consumers_blocked_s: f64,
    /// How full the queue was, over the run.
    pub depth: Vec<Depth>,
    /// Every wait.
    pub blocked: Vec<Blocked>,
    /// Every item that was taken, in the order of the taking.
    pub handled: Vec<Handled>,
}

impl Record {
    /// Works out the figures from all entries, in order of time, and the run's start and end.
    pub(crate) fn new(
        plan: &Plan,
        (entries, start, end): (Vec<Entry>, Moment, Moment),
        panicked: Vec<u64>,
    ) -> Self {
        let seconds = |moment: Moment| (moment - start).as_secs_f64();
        let count = |wanted: fn(&Event) -> bool| {
            entries.iter().filter(|entry| wanted(&entry.event)).count() as u64
        };
        let handled = handled(&entries, seconds);
        let blocked = blocked(&entries, seconds);
        let mut times = BTreeMap::<u64, u64>::new();
        handled
            .iter()
            .for_each(|handled| *times.entry(handled.item).or_default() += 1);
        let taken_by: Vec<usize> = (1..=plan.consumers.get())
            .map(|number| handled.iter().filter(|one| one.consumer == number).count())
            .collect();
        let waited = |consumers: bool| -> f64 {
            let waits = blocked
                .iter()
                .filter(|wait| (wait.who != PRODUCER) == consumers);
            waits.map(|wait| wait.to_s - wait.from_s).sum()
        };
        let done = count(|event| matches!(event, Event::Done(_)));
        let failed = handled.iter().filter(|one| one.done_s.is_none()).count() as u64;
        let cancelled = plan.items - times.len() as u64;
        let depths = entries.iter().map(|entry| Depth {
            at_s: seconds(entry.at),
            depth: entry.depth,
        });
        Self {
            items: plan.items,
            consumers: plan.consumers.get(),
            capacity: plan.capacity.get(),
            run_s: seconds(end),
            put: count(|event| matches!(event, Event::Put(Some(_)))),
            done,
            failed,
            cancelled,
            accounted: done + failed + cancelled,
            missing: (1..=plan.items)
                .filter(|item| !times.contains_key(item))
                .count() as u64,
            twice: times.values().map(|times| times - 1).sum(),
            out_of_order: out_of_order(&handled),
            sentinels: count(|event| matches!(event, Event::Taken(None))),
            panicked,
            least_taken: taken_by.iter().copied().min().unwrap_or(0),
            taken_by,
            peak_depth: entries.iter().map(|entry| entry.depth).max().unwrap_or(0),
            producer_blocked_s: waited(false),
            consumers_blocked_s: waited(true),
            depth: depths.collect(),
            blocked,
            handled,
        }
    }

    /// The items as tasks, each of the three counted by itself.
    pub fn tally(&self) -> Tally {
        Tally {
            submitted: self.items,
            done: self.done,
            failed: self.failed,
            cancelled: self.cancelled,
            ..Tally::default()
        }
    }
}

#[cfg(test)]
mod tests;
