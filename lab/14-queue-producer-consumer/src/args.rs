//! The flags of this step.

use common::cli::{Seconds, Usage, up_to};
use lab_14_queue_producer_consumer::Plan;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// A single variant that would take longer than this is refused.
const LONGEST_RUN: Duration = Duration::from_secs(300);

/// What goes through the queue, and who takes it.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct QueueArgs {
    /// Let this many consumers take from the queue, 1 to 64
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<64>,
          allow_negative_numbers = true)]
    pub(crate) consumers: NonZeroUsize,

    /// Make this many items per consumer, 1 to 1000
    ///
    /// One consumer has 10 by default and three have 30, as in the scripts.
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) items: NonZeroUsize,

    /// Let the queue hold this many items, 1 to 1000
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) capacity: NonZeroUsize,

    /// The least time that making or handling an item takes
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.01",
        allow_negative_numbers = true
    )]
    #[serde(rename = "shortest_s")]
    shortest: Seconds,

    /// The most time that making or handling an item takes
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.05",
        allow_negative_numbers = true
    )]
    #[serde(rename = "longest_s")]
    longest: Seconds,
}

impl QueueArgs {
    /// The plan for one consumer.
    ///
    /// # Errors
    /// The shortest time is longer than the longest, or a run would take very long.
    pub(crate) fn plan(&self, seed: u64) -> Result<Plan, Usage> {
        let (shortest, longest) = (self.shortest, self.longest);
        if shortest.0 > longest.0 {
            return Err(Usage(format!(
                "`--shortest {shortest}` is more than `--longest {longest}`; swap the two"
            )));
        }
        let items = self.items.get() as u64;
        let all = items as f64 * self.consumers.get() as f64 * longest.0.as_secs_f64();
        if all > LONGEST_RUN.as_secs_f64() {
            return Err(Usage(format!(
                "`--items {items} --consumers {} --longest {longest}` can take {all:.0} s in a \
                 single variant, more than {}; lower one of them",
                self.consumers,
                LONGEST_RUN.as_secs()
            )));
        }
        let pauses = shortest.0..=longest.0;
        Ok(Plan {
            items,
            consumers: NonZeroUsize::MIN,
            capacity: self.capacity,
            making: Some(pauses.clone()),
            handling: pauses,
            bad_item: None,
            seed,
        })
    }
}
