//! Shows the same quotes over threads and over tasks, from five in flight to ten thousand.

mod claims;
mod flags;

use anyhow::Context;
use common::{Lab, Ledger, Observer, Question, Step};
use flags::Args;
use measure::host;
use process_pool::child::Program;
use std::process::ExitCode;
use web::venue::{VENUE, Venue};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/09_asyncio_vs_threads_fx_demo.py (ThreadPoolExecutor, gather)",
    question: "where does async shine, where not?",
    why: "Both sides wait for the same answers. A waiting thread keeps a stack and a place in the \
          system's list of threads, and the system has to wake it; a waiting task keeps what it \
          needs after the wait, and one thread serves them all. So the waiting itself is the same, \
          and the difference is what each one that waits costs, times how many there are. That one \
          thread is also the weakness: while a task computes, no other task gets on. Computing \
          belongs on threads of its own, with a limit.",
    remember: "At the same limit async is no faster, but cheaper for each request that waits. Never \
              compute on the async thread.",
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
    let text = "Tasks instead of threads, as many at once: how many times as fast?";
    let ask = Question::faster("tasks", "threads", text);
    lab.predict(ask, &["slower", "the same", "faster"], &[0.8, 1.25]);
    lab.legend(
        "tasks, threads: 20 FX trades (a quote, an order), 5 at a time. pricing: CPU work during the same \
         trades, in a task on their thread, or on threads beside it.",
    );
    let market = args.market(lab.seed())?;
    // Before the venue starts: it inherits the limit.
    host::raise_open_files();
    let venue = Venue::open(&Program::this(), market).context("cannot start the venue")?;
    claims::trade(args, lab, &venue)?;
    claims::price(args, lab, &venue)
}

/// The venue, which answers nothing before so many quotes are asked for, and counts what it sees.
struct Seen<'a> {
    venue: &'a Venue,
    at_once: usize,
}

impl Observer for Seen<'_> {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.venue.begin(self.at_once)?)
    }

    fn counts(&self) -> anyhow::Result<Ledger> {
        let counts = self.venue.counts();
        let counts = counts.context("the venue has ended; run again")?;
        Ok(Ledger {
            peak_in_flight: Some(counts.peak_in_flight),
            connections: Some(counts.connections),
            ..Ledger::default()
        })
    }
}
