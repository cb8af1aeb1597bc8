//! The flags of this step.

use common::{
    cli::{RoundsArgs, Seconds, Usage, up_to},
    format,
};
use serde::{Serialize, Serializer};
use std::{num::NonZeroUsize, thread, time::Duration};

/// Most increments of all rounds together: a run of this length ends within minutes.
const MOST_INCREMENTS: u64 = 5_000_000_000;

/// The most threads that contend, however many CPUs there are.
const MOST_THREADS: usize = 256;

const LONGEST_PATIENCE: Duration = Duration::from_secs(60);

/// What to measure, and how long to wait for a child.
#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct LockArgs {
    /// Let up to this many threads contend, 1 to 256; without it twice the CPUs
    #[arg(long, value_name = "N", value_parser = up_to::<MOST_THREADS>,
          allow_negative_numbers = true)]
    #[serde(serialize_with = "in_words")]
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

    /// Wait this long for a child's word before killing it, up to 60 s
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = parse_patience,
          allow_negative_numbers = true)]
    #[serde(rename = "patience_s")]
    pub(crate) patience: Seconds,

    /// Let nobody watch the locks in the children: what does a deadlock look like from outside?
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_watchdog: bool,
}

fn parse_patience(text: &str) -> Result<Seconds, String> {
    let patience: Seconds = text.parse()?;
    if patience.0.is_zero() || patience.0 > LONGEST_PATIENCE {
        return Err("not a time above 0 and up to 60 s".into());
    }
    Ok(patience)
}

/// The numbers of threads in the columns: up to five, the most last.
fn columns(threads: Option<NonZeroUsize>) -> Vec<NonZeroUsize> {
    let cpus = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let most = threads.map_or((2 * cpus).min(MOST_THREADS), NonZeroUsize::get);
    let mut columns: Vec<_> = [1, 2, most / 4, most / 2, most]
        .into_iter()
        .filter(|&threads| threads <= most)
        .filter_map(NonZeroUsize::new)
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The header names every number of threads; the document will have them as a list.
fn in_words<S: Serializer>(
    threads: &Option<NonZeroUsize>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let counts: Vec<String> = columns(*threads).iter().map(ToString::to_string).collect();
    serializer.serialize_str(&counts.join(", "))
}

impl LockArgs {
    /// How many threads there are in each column of the table.
    ///
    /// # Errors
    /// All rounds together would make too many increments.
    pub(crate) fn columns(&self) -> Result<Vec<NonZeroUsize>, Usage> {
        let columns = columns(self.threads);
        let (increments, rounds) = (self.increments, self.rounds.rounds);
        let all = (columns.len() * crate::MECHANISMS.len() * rounds.get()) as u64
            * increments.get() as u64;
        if all <= MOST_INCREMENTS {
            return Ok(columns);
        }
        Err(Usage(format!(
            "`--increments {increments} --rounds {rounds}` is {} increments in all, more than {}; \
             lower one of the two",
            format::count(all),
            format::count(MOST_INCREMENTS)
        )))
    }
}
