//! What goes through the queue, and how long each item takes to make and to handle.

use measure::workload::Seeded;
use std::{num::NonZeroUsize, ops::RangeInclusive, time::Duration};

/// The items, the queue and the pauses of one run.
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
