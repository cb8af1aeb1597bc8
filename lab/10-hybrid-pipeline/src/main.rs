//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod args;
mod claims;
mod complaints;
mod figures;
mod plan;
mod rounds;
mod source;
mod toolchain;

use args::PipelineArgs;
use common::{Experiment, Step, host, http::SERVER};
use complaints::Complaint;
use lab_10_hybrid_pipeline::shift::PARSE;
use plan::{plans, run};
use rounds::Rounds;
use source::Source;
use std::{collections::BTreeMap, num::NonZeroUsize, process::ExitCode};
use toolchain::SYSROOT;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/10_async_multiprocessing_pipeline.py"],
    question: "async fetch, process-pool parse: how to join them?",
    why: "Fetching waits and parsing works, so the two can go on at the same time: while one page is \
          parsed, others are on their way. A barrier between them forbids just that. The channel in \
          between is bounded: when the parsers cannot keep up, the fetchers wait, and memory stays \
          what the limits add up to. Threads for I/O, processes for CPU, async for scale, locks for \
          safety.",
    try_next: &[
        "cargo run -p lab-10-hybrid-pipeline -- --site rust-docs: real pages, found by their links",
        "cargo run -p lab-10-hybrid-pipeline -- --delay 0: nothing to wait for; what is left to overlap?",
        "cargo run -p lab-10-hybrid-pipeline -- --max-in-flight 1: which stage is the bound now?",
        "cargo run -p lab-10-hybrid-pipeline -- --queue 1 --workers 1: watch the fetchers wait to hand over",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[&SERVER, &PARSE, &SYSROOT], demonstrate)
}

fn demonstrate(args: &PipelineArgs, lab: &mut Experiment) -> anyhow::Result<()> {
    host::raise_open_files();
    let cpus = NonZeroUsize::new(lab.cpus()).unwrap_or(NonZeroUsize::MIN);
    let workers = args.workers.unwrap_or(cpus);
    let source = Source::open(args, lab.seed())?;
    lab.param("workers", workers);
    lab.param("pages", source.start.pages);

    let plans = plans(args.parse);
    let mut complaints: BTreeMap<&str, Complaint> = BTreeMap::new();
    let mut rounds = Rounds::default();
    let mut last = None;
    for plan in plans.repeat(args.rounds.rounds.get()) {
        let figures = run(&plan, args, workers, &source, lab)?;
        let complaint = complaints.entry(plan.name).or_default();
        complaint.add(&figures.pages, &figures.totals);
        rounds.add(plan.name, &figures);
        // Where nothing comes, more of the same only costs the reader's time.
        let is_over = figures.parsed == 0;
        last = Some(figures);
        if is_over {
            break;
        }
    }
    if let Some(figures) = last {
        figures.tell(lab);
        if figures.parsed > 0 {
            claims::tell_and_claim(lab, &plans, &source, &rounds);
        }
    }
    for plan in &plans {
        if let Some(line) = complaints
            .get(plan.name)
            .and_then(|all| all.line(plan.name))
        {
            lab.fail(line);
        }
    }
    Ok(())
}
