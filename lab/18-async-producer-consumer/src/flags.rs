//! The flags of this step, and the plan that they ask for.

use common::cli::{Seconds, Usage, WORKERS_LIMIT, up_to};
use lab_18_async_producer_consumer::Plan;
use measure::workload::Seeded;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// What to make, to hold, and to consume.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Let the bounded queue hold this many items, 1 to 100,000
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<100_000>)]
    pub(crate) queue: NonZeroUsize,

    /// Consume with this many tasks, 1 to 512
    #[arg(long, value_name = "N", default_value = "1", value_parser = up_to::<WORKERS_LIMIT>)]
    consumers: NonZeroUsize,

    /// Make this many items, 1 to 10,000
    #[arg(long, value_name = "N", default_value = "30", value_parser = up_to::<10_000>)]
    pub(crate) items: NonZeroUsize,

    /// Seconds that it takes to make an item
    #[arg(long, value_name = "SECONDS", default_value = "0.01", value_parser = str::parse::<Seconds>)]
    make: Seconds,

    /// Seconds that a consumer needs for the quickest item
    #[arg(long, value_name = "SECONDS", default_value = "0.01", value_parser = str::parse::<Seconds>)]
    least: Seconds,

    /// Seconds that a consumer needs for the slowest item; the seed draws each one in between
    #[arg(long, value_name = "SECONDS", default_value = "0.05", value_parser = str::parse::<Seconds>)]
    most: Seconds,

    /// Steps of the CPU work beside the pipeline, 1 to 2,000,000,000
    #[arg(long, value_name = "N", default_value = "150_000_000",
          value_parser = up_to::<2_000_000_000>)]
    pub(crate) work: NonZeroUsize,
}

impl Args {
    /// The plan with the bounded queue.
    pub(crate) fn plan(&self, seed: u64) -> Result<Plan, Usage> {
        let (least, most) = (self.least, self.most);
        if least.0 > most.0 {
            return Err(Usage(format!(
                "`--least {least} --most {most}` leaves nothing in between; raise `--most`"
            )));
        }
        let takes = least.0..most.0 + Duration::from_nanos(1);
        let items = 1..=self.items.get() as u64;
        let items = items.map(|number| Seeded::for_item(seed, number).duration(takes.clone()));
        Ok(Plan {
            items: items.collect(),
            makes: self.make.0,
            capacity: self.queue.get(),
            consumers: self.consumers.get(),
        })
    }
}
