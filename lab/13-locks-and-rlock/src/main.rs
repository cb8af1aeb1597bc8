//! Shows what each lock costs, what reentrancy is for, and deadlocks that name their circle.

mod cost;
mod deadlocks;
mod stories;

use common::{
    Lab, Step,
    cli::{RoundsArgs, Seconds, Usage, up_to},
    format, panics,
};
use deadlocks::Watched;
use lab_13_locks_and_rlock::{
    count::{
        Plan, count_by_reading, count_with_fetch_add, count_with_mutex, count_with_parking_lot,
        count_with_reentrant, count_with_rwlock, count_without_sharing,
    },
    poison::CARELESS,
};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode, thread, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/03_locks_and_rlock.py"],
    question: "what do Lock and RLock cost, and how do they deadlock?",
    why: "A lock is a word in memory that all CPUs that want it pass back and forth. Taking it costs a \
          few atomic steps even when no other thread wants it; wanted by several at once, it costs the \
          passing and the waiting. A reentrant lock also remembers its owner, so that a method which \
          holds it can call one that takes it. A deadlock is a circle: each thread holds what the next \
          one waits for, so none of them goes on. One order for all locks leaves no circle.",
    try_next: &[
        "cargo run -p lab-13-locks-and-rlock -- --threads 8: whose cost rises further?",
        "cargo run -p lab-13-locks-and-rlock -- --threads 4 --increments 400_000: the script's 4 × 100,000",
        "cargo run -p lab-13-locks-and-rlock -- --no-watchdog --patience 1: a deadlock from outside",
        "taskset -c 0 cargo run -p lab-13-locks-and-rlock: what is contention on one CPU?",
        "cargo run -p lab-14-queue-producer-consumer: hand work over instead of sharing it",
    ],
};

/// A way to count, by its name.
type Mechanism = (&'static str, fn(Plan) -> u64);

/// The rows of the table, from nothing shared to most.
pub(crate) const MECHANISMS: [Mechanism; 7] = [
    ("not shared", count_without_sharing),
    ("fetch_add", count_with_fetch_add),
    ("Mutex", count_with_mutex),
    ("parking_lot", count_with_parking_lot),
    ("ReentrantMutex", count_with_reentrant),
    ("RwLock, write", count_with_rwlock),
    ("RwLock, read", count_by_reading),
];

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
    fn check(&self) -> Result<(), Usage> {
        let (increments, rounds) = (self.increments, self.rounds.rounds);
        let all = (2 * MECHANISMS.len() * rounds.get() * increments.get()) as u64;
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

fn main() -> ExitCode {
    STEP.run(&[&Watched], demonstrate)
}

fn demonstrate(args: &LockArgs, lab: &mut Lab) -> anyhow::Result<()> {
    // The one panic that is meant is a result here; any other is printed as usual.
    panics::keep_quiet(|_| thread::current().name() == Some(CARELESS));
    args.check()?;
    lab.param("threads", args.threads());
    cost::compare(lab, args)?;
    stories::read(lab)?;
    stories::nest(lab)?;
    deadlocks::watch(lab, args)?;
    stories::poison(lab)
}
