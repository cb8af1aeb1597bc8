//! The flags of this step.

use common::cli::{Seconds, Usage, WORKERS_LIMIT, up_to};
use lab_18_async_producer_consumer::{Item, Plan, UNBOUNDED, pipeline::Work};
use measure::workload::Seeded;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// Pieces of the work beside the pipeline; the polite task yields after each.
const PIECES: u64 = 30;
/// The work begins when this many items are finished.
const WORK_AFTER: usize = 3;
/// The item that its consumer panics over.
const POISONOUS: usize = 5;

/// What to make, to hold, and to consume.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Let the bounded queue hold this many items, 1 to 100,000
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<100_000>,
          allow_negative_numbers = true)]
    pub(crate) queue: NonZeroUsize,

    /// Consume with this many tasks, 1 to 512
    #[arg(long, value_name = "N", default_value = "1", value_parser = up_to::<WORKERS_LIMIT>,
          allow_negative_numbers = true)]
    pub(crate) consumers: NonZeroUsize,

    /// Make this many items, 1 to 10,000
    #[arg(long, value_name = "N", default_value = "30", value_parser = up_to::<10_000>,
          allow_negative_numbers = true)]
    pub(crate) items: NonZeroUsize,

    /// Seconds that the making of an item takes
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.01",
        allow_negative_numbers = true
    )]
    make: Seconds,

    /// Seconds that the quickest item takes its consumer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.01",
        allow_negative_numbers = true
    )]
    least: Seconds,

    /// Seconds that the slowest item takes its consumer; each is drawn in between, by the seed
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.05",
        allow_negative_numbers = true
    )]
    most: Seconds,

    /// Steps of the CPU work beside the pipeline, 1 to 2,000,000,000
    #[arg(long, value_name = "N", default_value = "150_000_000",
          value_parser = up_to::<2_000_000_000>, allow_negative_numbers = true)]
    work: NonZeroUsize,
}

impl Args {
    /// The plan that the flags ask for, with the bounded queue.
    ///
    /// # Errors
    /// The quickest item takes longer than the slowest.
    pub(crate) fn plan(&self, seed: u64) -> Result<Plan, Usage> {
        let (least, most) = (self.least.0, self.most.0);
        if least > most {
            return Err(Usage(format!(
                "`--least {} --most {}` leaves nothing in between; raise `--most`",
                self.least, self.most
            )));
        }
        let takes = |number| match least < most {
            true => Seeded::for_item(seed, number).duration(least..most),
            false => least,
        };
        let items = (1..=self.items.get() as u64).map(|number| Item {
            number,
            takes: takes(number),
            is_poisonous: false,
        });
        Ok(Plan {
            items: items.collect(),
            makes: self.make.0,
            capacity: self.queue.get(),
            consumers: self.consumers,
        })
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            pieces: PIECES,
            steps: (self.work.get() as u64).div_ceil(PIECES),
            after: WORK_AFTER.min(self.items.get()),
        }
    }

    /// How many items are finished when the run is to stop: a third.
    pub(crate) fn stop_after(&self) -> usize {
        self.items.get().div_ceil(3)
    }
}

/// The plan with a queue that is never full.
pub(crate) fn unbounded(plan: &Plan) -> Plan {
    Plan {
        capacity: UNBOUNDED,
        ..plan.clone()
    }
}

/// The plan for so many consumers, one of which will panic.
pub(crate) fn poisoned(plan: &Plan, consumers: NonZeroUsize) -> Plan {
    let mut plan = Plan {
        consumers,
        ..plan.clone()
    };
    let last = plan.items.len();
    plan.items[POISONOUS.min(last) - 1].is_poisonous = true;
    plan
}

/// What no schedule can beat: the consumers' work shared out, the longest item, or the making.
pub(crate) fn least_time(plan: &Plan) -> Duration {
    let all: Duration = plan.items.iter().map(|item| item.takes).sum();
    let longest = plan.items.iter().map(|item| item.takes).max();
    let consumers = u32::try_from(plan.consumers.get()).unwrap_or(u32::MAX);
    let count = u32::try_from(plan.items.len()).unwrap_or(u32::MAX);
    let last = plan.items.last().map_or(Duration::ZERO, |item| item.takes);
    let consuming = (all / consumers).max(longest.unwrap_or_default()) + plan.makes;
    consuming.max(count * plan.makes + last)
}
