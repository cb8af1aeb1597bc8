//! The flags of this step, and the items that they ask for.

use common::cli::{Seconds, Usage, seconds, up_to};
use lab_14_queue_producer_consumer::Item;
use measure::workload::Seeded;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// What goes through the queue, and who takes it.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Let this many consumers take from the queue, 1 to 64
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<64>)]
    pub(crate) consumers: NonZeroUsize,

    /// Make this many items per consumer, 1 to 500
    ///
    /// One consumer has 10 by default and three have 30, as in the scripts.
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<500>)]
    pub(crate) items: NonZeroUsize,

    /// Let the queue hold this many items, 1 to 1000
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<1000>)]
    pub(crate) capacity: NonZeroUsize,

    /// The shortest time that it takes to make or to handle an item, up to 1 s
    #[arg(long, value_name = "SECONDS", default_value = "0.01", value_parser = seconds(0.000_001..=1.0))]
    #[serde(rename = "shortest_s")]
    shortest: Seconds,

    /// The longest time that it takes to make or to handle an item, up to 1 s
    #[arg(long, value_name = "SECONDS", default_value = "0.05", value_parser = seconds(0.000_001..=1.0))]
    #[serde(rename = "longest_s")]
    longest: Seconds,
}

impl Args {
    /// The items for all consumers; the same seed gives the same times.
    pub(crate) fn items(&self, seed: u64) -> Vec<Item> {
        let item = |number| {
            let mut random = Seeded::for_item(seed, number);
            let times = self.shortest.0..self.longest.0 + Duration::from_nanos(1);
            let mut time = || random.duration(times.clone());
            Item {
                number,
                makes: time(),
                takes: time(),
                is_bad: false,
            }
        };
        (1..=(self.items.get() * self.consumers.get()) as u64)
            .map(item)
            .collect()
    }

    /// Refuses times that cannot be meant.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (shortest, longest) = (self.shortest, self.longest);
        if shortest.0 > longest.0 {
            return Err(Usage(format!(
                "`--shortest {shortest}` is more than `--longest {longest}`; swap the two"
            )));
        }
        Ok(())
    }
}
