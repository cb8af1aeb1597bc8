//! The flags of this step.

use common::cli::{RoundsArgs, Seconds, up_to};
use lab_17_async_basics::{Call, cancellation, cpu::Job, executor};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

/// The pause after each half of a message.
const PAUSE: Duration = Duration::from_millis(5);
/// From one tick of the light task to the next.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// An odd number: now and then it falls between the halves of a message.
const HEARTBEAT_EVERY: u64 = 7;

/// What to wait for, to compute, and to cancel.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Wait for this many answers, 1 to 200
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<200>,
          allow_negative_numbers = true)]
    pub(crate) tasks: NonZeroUsize,

    /// Seconds that each answer takes
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.2",
        allow_negative_numbers = true
    )]
    delay: Seconds,

    /// Steps of each of the two CPU jobs, 1 to 1,000,000,000
    #[arg(long, value_name = "N", default_value = "50_000_000",
          value_parser = up_to::<1_000_000_000>, allow_negative_numbers = true)]
    work: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,

    /// Seconds that a call blocks the executor
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0.3",
        allow_negative_numbers = true
    )]
    block: Seconds,

    /// Messages that are read while reads are dropped, 1 to 1,000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    messages: NonZeroUsize,
}

impl Args {
    pub(crate) fn calls(&self) -> Vec<Call> {
        let takes = self.delay.0;
        let call = |number| Call { number, takes };
        (1..=self.tasks.get()).map(call).collect()
    }

    /// The CPU jobs.
    pub(crate) fn jobs(&self) -> [Job; 2] {
        let steps = self.work.get() as u64;
        [1, 2].map(|number| Job { number, steps })
    }

    pub(crate) fn ticking(&self) -> executor::Plan {
        executor::Plan {
            tick: TICK,
            call: self.block.0,
        }
    }

    pub(crate) fn messages(&self) -> cancellation::Plan {
        cancellation::Plan {
            messages: self.messages.get() as u64,
            heartbeat_every: HEARTBEAT_EVERY,
            pause: PAUSE,
        }
    }
}
