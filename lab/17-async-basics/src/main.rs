//! Shows what awaits overlap, what blocks them, and what is lost when a future is dropped.

mod claims;

use common::{
    Lab, Question, Step,
    cli::{Seconds, up_to},
};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/07_asyncio_basics.py (gather, run_in_executor)",
    question: "sequential await or concurrent?",
    why: "A future is a value that does nothing until it is polled. Awaiting in a loop polls one \
          after another. `join` polls several in turn within one task: their waits overlap, on \
          one thread. `spawn` hands a task to the runtime, which polls it without being asked, \
          and on another thread if it has one. A runtime can only poll while its thread is free: \
          a call that blocks belongs on a thread of its own, by `spawn_blocking`. To cancel a \
          future is to drop it: it is not polled again, and what it owns goes with it. \
          A call that is under way on another thread cannot be dropped.",
    remember: "Await in a loop is one after another; join and spawn wait at the same time. A call \
              that blocks stops every task on its thread.",
    predict: (
        "100 tasks: which of the four ways needs 100 threads?",
        "cargo run -p lab-17-async-basics -- --tasks 100",
    ),
    sources: common::sources!["lib.rs", "executor.rs", "cancellation.rs", "abort.rs"],
};

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Wait for this many answers, 1 to 200
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<200>)]
    tasks: NonZeroUsize,

    /// Seconds that each answer takes
    #[arg(long, value_name = "SECONDS", default_value = "0.2")]
    delay: Seconds,

    /// Seconds that a call blocks the executor
    #[arg(long, value_name = "SECONDS", default_value = "0.3")]
    block: Seconds,

    /// Messages that are read while reads are dropped, 1 to 1,000
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    messages: NonZeroUsize,
}

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Five waits joined instead of awaited in a loop: how many times as fast?";
    let ask = Question::faster("join", "await in a loop", text);
    lab.predict(ask, &["not faster", "twice", "five times"], &[1.5, 3.0]);
    claims::laziness(args, lab);
    claims::waits(args, lab)?;
    claims::blocked(args, lab)?;
    claims::dropped_reads(args, lab)?;
    claims::abort(args, lab)
}
