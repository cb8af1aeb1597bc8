//! Shows the same quotes over threads and over tasks, from five in flight to ten thousand.

mod args;
mod claims;
mod heavy;
mod session;
mod sweep;
mod trade;

use args::FxArgs;
use common::{Lab, Step, format};
use lab_19_async_vs_threads_fx::protocol::{Outcome, Target};
use measure::host;
use process_pool::child::Program;
use std::process::ExitCode;
use web::venue::{VENUE, Venue};

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
    sources: common::sources![
        "lib.rs",
        "threads/trade.rs",
        "threads/burst.rs",
        "tasks/trade.rs",
        "tasks/burst.rs",
        "pricing.rs"
    ],
};

fn main() -> ExitCode {
    STEP.run(&[&VENUE], demonstrate)
}

fn demonstrate(args: &FxArgs, lab: &mut Lab) -> anyhow::Result<()> {
    args.check()?;
    // Before the venue starts: it inherits the limit.
    host::raise_open_files();
    let venue = Venue::open(&Program::this(), &args.venue(lab.seed()))?;
    let target = Target {
        address: venue.address(),
        timeout: args.timeout.0,
    };
    lab.say(format!(
        "venue: a process of its own at {}; latencies {}–{}",
        venue.address(),
        format::seconds(args.fastest.0),
        format::seconds(args.slowest.0)
    ));
    let Some(trades) = trade::run(args, lab, &venue, target)? else {
        return Ok(());
    };
    claims::trade(args, lab, &trades);
    let Some(rows) = sweep::run(args, lab, &venue, target)? else {
        return Ok(());
    };
    claims::sweep(lab, &rows);
    let Some(light) = heavy::run(args, lab, &venue, target)? else {
        return Ok(());
    };
    claims::heavy(lab, &light);
    Ok(())
}

/// Notes failed requests of the run `name` in one line; whether there were none.
fn note_failures(lab: &mut Lab, venue: &Venue, name: &str, outcomes: &[Outcome]) -> bool {
    let mut failed = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let Some(first) = failed.next() else {
        return true;
    };
    let count = format::count(1 + failed.count() as u64);
    let all = format::count(outcomes.len() as u64);
    let ending = ending(venue);
    lab.fail(format!(
        "{name}: {count} of {all} requests failed: {first}{ending}"
    ));
    false
}

/// How the venue ended, if it did; to follow an error.
fn ending(venue: &Venue) -> String {
    let ended = venue.ended();
    ended.map_or_else(String::new, |exit| {
        format!("; the venue has ended with {exit}")
    })
}
