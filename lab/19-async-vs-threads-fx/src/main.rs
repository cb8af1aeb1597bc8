//! Shows the same quotes over threads and over tasks, from five in flight to ten thousand.

mod claims;
mod flags;

use anyhow::Context;
use common::{Lab, Ledger, Observer, Question, Step};
use flags::Args;
use measure::host;
use process_pool::child::Program;
use std::{cell::Cell, process::ExitCode};
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
    let text = "Tasks instead of threads, as many at once: how many times as fast?";
    let ask = Question::faster("tasks", "threads", text);
    lab.predict(ask, &["slower", "the same", "faster"], &[0.8, 1.25]);
    lab.legend(
        "threads, tasks: those that wait for quotes. executor: the one thread that runs all tasks. light \
         quotes: small requests, while options are priced (CPU work) on that thread or beside it.",
    );
    let market = args.market(lab.seed())?;
    // Before the venue starts: it inherits the limit.
    host::raise_open_files();
    let venue = Venue::open(&Program::this(), &market).context("cannot start the venue")?;
    let bell = Cell::default();
    let stage = Stage {
        venue,
        market,
        bell,
    };
    claims::trade(args, lab, &stage)?;
    claims::burst(args, lab, &stage)?;
    claims::price(args, lab, &stage)
}

/// The venue, what decides its answers, and how many requests it lets arrive before it answers.
struct Stage {
    venue: Venue,
    market: Market,
    bell: Cell<usize>,
}

impl Observer for Stage {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.venue.begin(self.bell.get())?)
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
