//! Shows what each lock costs, what reentrancy is for, and deadlocks whose circle is named.

mod claims;
mod games;

use common::{
    Lab, Question, Step,
    claim::{Count, Figure},
    cli::{RoundsArgs, up_to},
    panics,
};
use games::games;
use interleave::play::{self, PlayArgs};
use lab_13_locks_and_rlock::poison::OVER_LIMIT;
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/03_locks_and_rlock.py (threading.Lock; the rest is ours)",
    question: "what do Lock and RLock cost, and how do they deadlock?",
    why: "A lock is a word in memory that all CPUs that want it pass back and forth. Taking it costs a \
          few atomic steps even when no other thread wants it. A reentrant lock also remembers its owner, \
          so that a method which holds it can call one that takes it. A deadlock is a circle: each thread \
          holds what the next one waits for, so none of them goes on. One order for all locks leaves no circle.",
    remember: "Take locks in the same order everywhere, and no circle of waiting can form. A thread \
              that takes its own lock again needs an RLock.",
    predict: (
        "8 threads want each lock, not one: whose cost grows?",
        "cargo run -p lab-13-locks-and-rlock -- --threads 8",
    ),
    sources: common::sources!["lib.rs", "read.rs", "nested.rs", "deadlock.rs", "poison.rs"],
};

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Let this many threads want each lock, 1 to 256
    #[arg(long, value_name = "N", default_value = "1", value_parser = up_to::<256>)]
    threads: NonZeroUsize,

    /// Add one this often under each lock, all threads together, 1 to 100,000,000
    ///
    /// The script's four threads with 100,000 each are --threads 4 --increments 400_000.
    #[arg(long, value_name = "N", default_value = "8_000_000", value_parser = up_to::<100_000_000>)]
    increments: NonZeroUsize,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: RoundsArgs,

    #[command(flatten)]
    #[serde(skip)]
    play: PlayArgs,
}

fn main() -> ExitCode {
    if let Some(code) = play::take(STEP.package, &games()) {
        return code;
    }
    STEP.run(&[&claims::WATCHED], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Four readers at once: how many are inside under an RwLock?";
    let inside = Figure::<Count>::noted(Some("reads, RwLock"), "most_readers_inside");
    let ask = Question::before("reads, RwLock", text, inside, "{} inside at once");
    lab.predict(ask, &["one", "several"], &[1.5]);
    // The one panic that is meant is a result here; any other is printed as usual.
    panics::keep_quiet(|panic| panic.payload_as_str() == Some(OVER_LIMIT));
    lab.legend(
        "Lock: Mutex, RLock: ReentrantMutex. self-deadlock: a thread takes its Lock twice. opposite order, \
         same order: two threads take two Locks.",
    );
    claims::cost(lab, args)?;
    claims::read(lab)?;
    claims::deadlocks(lab)?;
    claims::poison(lab);
    Ok(())
}
