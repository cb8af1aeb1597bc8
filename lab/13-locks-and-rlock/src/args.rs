//! The flags of this step.

use common::{
    cli::{RoundsArgs, Seconds, Usage, up_to},
    format,
};
use serde::Serialize;
use std::{num::NonZeroUsize, thread, time::Duration};

/// Most increments of all rounds together: a run of this length ends within minutes.
const MOST_INCREMENTS: u64 = 5_000_000_000;

/// What to measure, and how long to wait for a child.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct LockArgs {
    /// Let this many threads contend, 1 to 256; without it twice the CPUs
    #[arg(long, value_name = "N", value_parser = up_to::<256>, allow_negative_numbers = true)]
    #[serde(skip)]
    threads: Option<NonZeroUsize>,

    /// Add one this often under each lock, all threads together, 1 to 100,000,000
    ///
    /// The script's four threads with 100,000 each are --threads 4 --increments 400_000.
    #[arg(long, value_name = "N", default_value = "8_000_000",
          value_parser = up_to::<100_000_000>, allow_negative_numbers = true)]
    pub(crate) increments: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,

    /// Wait this long for a child's answer before killing it, up to 60 s
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = parse_patience,
          allow_negative_numbers = true)]
    #[serde(rename = "patience_s")]
    pub(crate) patience: Seconds,

    /// Watch no lock in the children: what does a deadlock look like from outside?
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_watchdog: bool,
}

fn parse_patience(text: &str) -> Result<Seconds, String> {
    let patience: Seconds = text.parse()?;
    if patience.0.is_zero() || patience.0 > Duration::from_secs(60) {
        return Err("not a time above 0 and up to 60 s".into());
    }
    Ok(patience)
}

impl LockArgs {
    /// How many threads contend.
    pub(crate) fn threads(&self) -> NonZeroUsize {
        let cpus = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let most = NonZeroUsize::MIN.saturating_add(255);
        self.threads
            .unwrap_or_else(|| cpus.saturating_add(cpus.get()).min(most))
    }

    /// All rounds together must not make too many increments.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (increments, rounds) = (self.increments, self.rounds.rounds);
        let all = (2 * crate::MECHANISMS.len() * rounds.get() * increments.get()) as u64;
        if all <= MOST_INCREMENTS {
            return Ok(());
        }
        Err(Usage(format!(
            "`--increments {increments} --rounds {rounds}` is {} increments in all, more than {}; \
             lower one of the two",
            format::count(all),
            format::count(MOST_INCREMENTS)
        )))
    }
}
