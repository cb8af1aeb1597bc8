//! The flags of this step.

use common::cli::{Seconds, Usage, up_to};
use lab_11_threads_basics::Plan;
use serde::Serialize;
use std::num::NonZeroUsize;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Start this many threads, 1 to 26: worker A to worker Z
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<26>)]
    threads: NonZeroUsize,

    /// Let each thread make this many iterations, 1 to 100
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<100>)]
    iterations: NonZeroUsize,

    /// Let each iteration wait this long; with 0, chance alone mixes the lines
    #[arg(long, value_name = "SECONDS", default_value = "0.2")]
    #[serde(rename = "delay_s")]
    delay: Seconds,

    /// Let the last thread of the last part panic in this iteration [default: 2, or the last]
    #[arg(long, value_name = "N", value_parser = up_to::<100>)]
    panic_at: Option<NonZeroUsize>,
}

impl Args {
    /// The plan that the flags ask for.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            threads: self.threads,
            iterations: self.iterations.get(),
            delay: self.delay.0,
        }
    }

    /// In which iteration a thread panics.
    ///
    /// # Errors
    /// There is no such iteration.
    pub(crate) fn panic_at(&self) -> Result<usize, Usage> {
        let (iterations, last) = (self.iterations, self.iterations.get());
        match self.panic_at {
            None => Ok(last.min(2)),
            Some(at) if at <= iterations => Ok(at.get()),
            Some(at) => Err(Usage(format!(
                "`--panic-at {at}` is past the last iteration, `--iterations {iterations}`; \
                 lower the one or raise the other"
            ))),
        }
    }
}
