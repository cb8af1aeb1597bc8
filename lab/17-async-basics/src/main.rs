//! Shows what awaits overlap, what blocks them, and what is lost when a future is dropped.

mod args;
mod blocked;
mod cancelled;
mod claims;
mod waits;
mod work;

use args::Args;
use common::{Lab, Step};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/07_asyncio_basics.py"],
    question: "sequential await or concurrent?",
    why: "A future is a value that does nothing until it is polled. Awaiting in a loop polls one \
          after another. `join` polls several in turn within one task: their waits overlap, on \
          one thread. `spawn` hands a task to the runtime, which polls it without being asked, \
          and on another thread if it has one. A runtime can only poll while nobody holds its \
          thread: a call that blocks belongs on a thread of its own, by `spawn_blocking`. To \
          cancel a future is to drop it: it is not polled again, and what it owns goes with it. \
          A call that is under way on another thread cannot be dropped.",
    try_next: &[
        "cargo run -p lab-17-async-basics -- --tasks 100: which way pays with threads?",
        "cargo run -p lab-17-async-basics -- --block 1: how late is the light task now?",
        "cargo run -p lab-17-async-basics -- --messages 3: no loss; why is such a fault found late?",
        "cargo run -p lab-18-async-producer-consumer: tasks that hand work to each other",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    waits::show(args, lab)?;
    work::show(args, lab)?;
    blocked::show(args, lab)?;
    cancelled::show(args, lab)?;
    claims::add(args, lab);
    Ok(())
}
