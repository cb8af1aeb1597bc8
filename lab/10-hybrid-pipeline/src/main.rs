//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod claims;
mod flags;
mod pages;
mod plan;
mod source;

use common::{Lab, Question, Step};
use flags::PipelineArgs;
use lab_10_hybrid_pipeline::{
    frontier::{Outcome, PageReport},
    workers::PARSE,
};
use measure::host;
use pages::{fail_for_missing, print_pages};
use plan::{Shown, plans};
use source::Source;
use std::{num::NonZeroUsize, process::ExitCode};
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/10_async_multiprocessing_pipeline.py"],
    question: "async fetch, process-pool parse: how to join them?",
    why: "Fetching waits and parsing works, so the two can go on at the same time: while one page is \
          parsed, others are on their way. A barrier between them forbids just that. The channel in \
          between is bounded: when the parsers cannot keep up, the fetchers wait, and memory stays \
          what the limits add up to. Threads for I/O, processes for CPU, async for scale, locks for \
          safety.",
    remember: "Fetching waits and parsing works, so one can go on during the other. A barrier \
              between them forbids just that.",
    predict: (
        "nothing to wait for: what is left to overlap?",
        "cargo run -p lab-10-hybrid-pipeline -- --delay 0",
    ),
    sources: common::sources!["lib.rs", "frontier.rs", "parse.rs", "workers.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&SERVER, &PARSE], demonstrate)
}

fn demonstrate(args: &PipelineArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Without the barrier between fetching and parsing: how many times as fast?";
    let ask = Question::faster("streaming, processes", "barrier, processes", text);
    lab.predict(
        ask,
        &["not faster", "up to twice", "more than that"],
        &[1.1, 2.2],
    );
    host::raise_open_files();
    let cpus = NonZeroUsize::new(lab.cpus()).unwrap_or(NonZeroUsize::MIN);
    let workers = args.workers.unwrap_or(cpus);
    let source = Source::open(args, lab.seed())?;
    lab.param("workers", workers);
    lab.param("pages", source.start.pages);
    let mut plans = plans(args.parse);
    if args.kill_worker {
        plans.push(plan::losing_a_worker(source.start.pages.get()));
    }
    let rounds = args.rounds.rounds.get();
    let mut first: Option<Vec<PageReport>> = None;
    let mut shown: Vec<Shown> = Vec::new();
    for round in 1..=rounds {
        shown.clear();
        for plan in &plans {
            lab.say(format!("round {round} of {rounds}: {} …", plan.name));
            let (pages, lost) = plan::run(plan, args, workers, &source, lab)?;
            // More of the same would only cost the reader's time.
            let nothing = !pages
                .iter()
                .any(|page| matches!(page.outcome, Outcome::Parsed { .. }));
            if round == 1 || nothing {
                fail_for_missing(lab, plan.name, &pages, nothing);
            }
            if nothing {
                return Ok(());
            }
            if first.is_none() {
                print_pages(lab, &pages);
            }
            let first = first.get_or_insert_with(|| pages.clone());
            shown.push(plan::note(lab, plan, first, &pages, lost));
        }
    }
    claims::claim(args, lab, &source, &plans, &shown);
    Ok(())
}
