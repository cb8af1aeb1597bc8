//! Shows twenty tasks one by one, on a thread each and on two pools; then how large a pool should
//! be, and ten thousand tasks.

mod claims;

use common::{
    Lab, Question, Step,
    cli::{Seconds, WORKERS_LIMIT, seconds, up_to},
};
use lab_15_thread_pool_executor::crowd::CROWD;
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/05_thread_pool_executor.py (ThreadPoolExecutor, as_completed)",
    question: "a pool, or threads by hand?",
    why: "A thread per task starts as many threads as there are tasks, whatever the machine can \
          bear. A pool starts its threads once and lets tasks queue: you set how many run at once, \
          and pay for the start once. For CPU work more threads than CPUs have nothing to run on; \
          for waits each further \
          thread is one more wait at the same time, until every task has its own. Where \
          a larger pool stops paying is measured, not known.",
    remember: "A pool starts its threads once and lets tasks queue. CPU work fills as many \
              threads as there are CPUs; waits can use more.",
    predict: (
        "20 workers for 20 tasks: what is left of the difference?",
        "cargo run -p lab-15-thread-pool-executor -- --workers 20",
    ),
    sources: common::sources!["lib.rs", "crowd.rs"],
};

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Tasks to do, 1 to 1,000; for one way of doing them each gets a thread of its own
    #[arg(long, value_name = "N", default_value = "20", value_parser = up_to::<1000>)]
    tasks: NonZeroUsize,

    /// Threads in the pool, 1 to 512
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<WORKERS_LIMIT>)]
    workers: NonZeroUsize,

    /// How long a task waits on average, up to 10 s; each half to one and a half times that
    #[arg(long, value_name = "SECONDS", default_value = "0.02", value_parser = seconds(0.000_001..=10.0))]
    #[serde(rename = "wait_s")]
    wait: Seconds,

    /// Sweep the pool's size from 1, doubling, up to N threads, 1 to 256
    #[arg(long, value_name = "N", default_value = "32", value_parser = up_to::<256>)]
    largest: NonZeroUsize,

    /// How many tasks are very many, 1 to 50,000
    #[arg(long, value_name = "N", default_value = "10_000", value_parser = up_to::<50_000>)]
    many: NonZeroUsize,

    /// Run all ways this often, taking turns; the middle run is shown, with the spread
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<1000>)]
    rounds: NonZeroUsize,
}

fn main() -> ExitCode {
    STEP.run(&[&CROWD], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "A thread for each wait, not a small pool: how many times as fast?";
    let ask = Question::faster("thread per task", "pool by hand", text);
    lab.predict(ask, &["not faster", "twice", "more than that"], &[1.5, 2.8]);
    claims::ways(args, lab)?;
    claims::sweep(args, lab);
    claims::many(args, lab)
}
