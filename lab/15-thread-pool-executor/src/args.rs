//! The flags of this step, and the tasks that they ask for.

use common::cli::{Seconds, Usage, parse_workers, up_to};
use lab_15_thread_pool_executor::{Load, Task};
use measure::workload::Seeded;
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// Most waiting of one task after another in all rounds together.
const MOST_WAITING_S: f64 = 3600.0;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Tasks to do, 1 to 1,000; for one way of doing them each gets a thread of its own
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) tasks: NonZeroUsize,

    /// Threads in the pool, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = parse_workers,
          allow_negative_numbers = true)]
    pub(crate) workers: NonZeroUsize,

    /// How long a task waits on average, in seconds, up to 10; each half to one and a half times that
    #[arg(long, value_name = "S", default_value = "0.02", value_parser = parse_wait,
          allow_negative_numbers = true)]
    pub(crate) wait: Seconds,

    /// Sweep the pool's size from 1, doubling, up to N threads, 2 to 256
    #[arg(long, value_name = "N", default_value = "32", value_parser = parse_largest,
          allow_negative_numbers = true)]
    pub(crate) largest: NonZeroUsize,

    /// How many tasks are very many, 1 to 50,000
    #[arg(long, value_name = "N", default_value = "10_000", value_parser = up_to::<50_000>,
          allow_negative_numbers = true)]
    pub(crate) many: NonZeroUsize,

    /// Run all ways this often, taking turns; the middle run is shown, with the spread
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) rounds: NonZeroUsize,
}

fn parse_wait(text: &str) -> Result<Seconds, String> {
    let wait: Seconds = text.parse()?;
    if wait.0.is_zero() || wait.0.as_secs_f64() > 10.0 {
        return Err("not a wait of more than 0 s and at most 10 s".into());
    }
    Ok(wait)
}

fn parse_largest(text: &str) -> Result<NonZeroUsize, String> {
    let largest = up_to::<256>(text).ok().filter(|size| size.get() > 1);
    largest.ok_or_else(|| "not a whole number from 2 to 256".into())
}

impl Args {
    /// The tasks: waits of unequal length, the same for the same seed.
    pub(crate) fn waits(&self, seed: u64) -> Vec<Task> {
        let mean = self.wait.0;
        let wait = |number: usize| {
            let mut random = Seeded::for_item(seed, number as u64);
            // A nanosecond at least, so that the range is never empty.
            random.duration(mean / 2..mean * 3 / 2 + Duration::from_nanos(1))
        };
        let task = |number| Task {
            number,
            load: Load::Wait(wait(number)),
        };
        (1..=self.tasks.get()).map(task).collect()
    }

    /// Refuses what would go on for hours.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (tasks, wait, rounds) = (self.tasks, self.wait, self.rounds);
        let all_s = tasks.get() as f64 * wait.0.as_secs_f64() * rounds.get() as f64;
        if all_s > MOST_WAITING_S {
            return Err(Usage(format!(
                "`--tasks {tasks} --wait {wait} --rounds {rounds}` is more than an hour of waits \
                 one by one; lower one of the three"
            )));
        }
        Ok(())
    }
}
