//! Shows what a bound on a queue does, a task that never yields, and two ways to stop.

mod args;
mod backpressure;
mod claims;
mod cooperation;
mod endings;
mod flow;

use args::Args;
use claims::Flows;
use common::{Lab, Step};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/08_asyncio_producer_consumer.py"],
    question: "who slows down whom, when tasks hand work to each other?",
    why: "A bounded queue makes whoever brings too much wait for room: the slow side sets the pace, \
          and memory stays within the bound. That is backpressure. Without a bound the queue takes \
          the difference for as long as there is memory. Tasks of one thread take turns only \
          where they `await`: one that computes on and on takes the turns of all others, \
          timers among them; `yield_now` gives them back. To stop without a loss, stop the producer \
          first: its end of the queue is dropped, and consumers get what is in it and then `None`.",
    try_next: &[
        "cargo run -p lab-18-async-producer-consumer -- --consumers 3: who waits for whom now?",
        "cargo run -p lab-18-async-producer-consumer -- --queue 1: how much longer does it take?",
        "cargo run -p lab-18-async-producer-consumer -- --work 600_000_000: how long is the gap?",
        "cargo run -p lab-19-async-vs-threads-fx: tasks and threads on quotes and orders",
    ],
};

const UNBOUNDED: &str = "unbounded";
const BOUNDED: &str = "bounded";
const HOG: &str = "never yields";
const POLITE: &str = "yields";
const AT_ONCE: &str = "stop at once";
const GRACEFUL: &str = "stop gracefully";
const ONE_PANICS: &str = "one panics";
const SOLE_PANICS: &str = "sole one panics";

/// The variants that do the same, so that a speed-up can be told.
const SAME_WORK: [&str; 2] = [UNBOUNDED, BOUNDED];

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let plan = args.plan(lab.seed())?;
    let (unbounded, bounded) = backpressure::show(args, lab, &plan)?;
    cooperation::show(args, lab, &plan)?;
    let (at_once, graceful) = endings::show_stops(args, lab, &plan)?;
    let sole_panics = endings::show_panics(args, lab, &plan)?;
    let flows = Flows {
        unbounded,
        bounded,
        at_once,
        graceful,
        sole_panics,
    };
    claims::add(args, lab, &flows);
    Ok(())
}
