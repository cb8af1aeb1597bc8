//! Shows twenty tasks one by one, on a thread each and on two pools; then how large a pool should
//! be, and ten thousand tasks.

mod args;
mod many;
mod sweep;
mod ways;

use args::Args;
use common::{Lab, Question, Step};
use lab_15_thread_pool_executor::crowd::CROWD;
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/05_thread_pool_executor.py"],
    question: "a pool, or threads by hand?",
    why: "A thread per task starts as many threads as there are tasks, whatever the machine can \
          bear. A pool starts its threads once and lets tasks queue: you set how many run at once, \
          and pay for the start once. For CPU work more threads than CPUs have nothing to run on; \
          for waits a thread more is a wait more at the same time, until all tasks have one. Where \
          a larger pool stops paying is measured, not known.",
    remember: "A pool starts its threads once and lets tasks queue. CPU work fills as many \
              threads as there are CPUs; waits can use more.",
    predict: (
        "20 workers for 20 tasks: what is left of the difference?",
        "cargo run -p lab-15-thread-pool-executor -- --workers 20",
    ),
    sources: common::sources!["lib.rs", "crowd.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&CROWD], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Twenty waits: a thread for each against a pool of five. How many times as fast?";
    let ask = Question::faster("thread per task", "pool by hand", text);
    lab.predict(ask, &["not faster", "twice", "four times"], &[1.5, 3.0]);
    ways::show(args, lab)?;
    sweep::show(args, lab);
    many::show(args, lab)
}
