//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod args;
mod claims;
mod complaints;
mod course;
mod figures;
mod from_memory;
mod gap;
mod loss_of_worker;
mod pace;
mod plan;
mod rounds;
mod source;
mod spent;
mod toolchain;

use args::PipelineArgs;
use common::{Lab, Step};
use course::Course;
use lab_10_hybrid_pipeline::shift::PARSE;
use measure::host;
use source::Source;
use std::{num::NonZeroUsize, process::ExitCode};
use toolchain::SYSROOT;
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

fn demonstrate(args: &PipelineArgs, lab: &mut Lab) -> anyhow::Result<()> {
    host::raise_open_files();
    let cpus = NonZeroUsize::new(lab.cpus()).unwrap_or(NonZeroUsize::MIN);
    let workers = args.workers.unwrap_or(cpus);
    let source = Source::open(args, lab.seed())?;
    lab.param("workers", workers);
    lab.param("pages", source.start.pages);

    let mut course = Course::new(args, workers, &source);
    course.run(lab)?;
    course.tell(lab)?;
    course.complain(lab);
    Ok(())
}
