//! Shows the same quotes over threads and over tasks, from five in flight to ten thousand.

mod args;
mod burst;
mod light;
mod trade;

use anyhow::Context;
use args::Args;
use common::{Counts, Lab, Observer, Question, Step};
use measure::host;
use process_pool::child::Program;
use std::process::ExitCode;
use web::venue::{Market, VENUE, Venue};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/09_asyncio_vs_threads_fx_demo.py"],
    question: "quotes and orders: where does async shine, and where not?",
    why: "Both sides wait for the same answers. A waiting thread keeps a stack and a place in the \
          system's list of threads, and the system has to wake it; a waiting task keeps what it \
          needs after the wait, and one thread serves them all. So the waiting itself is the same, \
          and the difference is what each one that waits costs, times how many there are. That one \
          thread is also the weakness: while a task computes, no other task gets on. Computing \
          belongs on threads of its own, with a limit.",
    remember: "Async is not faster, it is cheaper for each request that waits. Never compute on \
              the async thread.",
    predict: (
        "a stack of 2 MiB per thread instead of 64 KiB: 30 times the memory?",
        "cargo run -p lab-19-async-vs-threads-fx -- --stack-kib 2048",
    ),
    sources: common::sources!["threads.rs", "tasks.rs", "pricing.rs", "lib.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&VENUE], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    lab.predict(
        Question::faster(
            "tasks",
            "threads",
            "Tasks instead of threads, as many at once: how many times as fast?",
        )
        .below(0.8, "slower")
        .below(1.25, "the same")
        .otherwise("faster"),
    );
    let market = args.market(lab.seed())?;
    // Before the venue starts: it inherits the limit.
    host::raise_open_files();
    let open = || Venue::open(&Program::this(), &market);
    let stage = Stage {
        venue: open().context("cannot start the venue")?,
        market,
    };
    trade::run(args, lab, &stage)?;
    burst::run(args, lab, &stage)?;
    light::run(args, lab, &stage)
}

/// The venue, and what decides its answers.
struct Stage {
    venue: Venue,
    market: Market,
}

/// One run as the venue counts it: nothing is answered before so many requests have arrived.
struct AllArrived<'a>(&'a Venue, usize);

impl Observer for AllArrived<'_> {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.0.begin(self.1)?)
    }

    fn counts(&self) -> anyhow::Result<Option<Counts>> {
        let counts = self.0.counts().context("the venue has ended; run again")?;
        Ok(Some(Counts {
            peak_in_flight: counts.peak_in_flight,
            connections: counts.connections,
        }))
    }
}
