//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod args;
mod claims;
mod figures;
mod source;

use args::PipelineArgs;
use common::{
    Bound, Experiment, Step,
    child::Program,
    http::{self, SERVER},
};
use figures::Figures;
use lab_10_hybrid_pipeline::{
    crawl_streaming, crawl_with_barrier,
    parse::{PARSE, Parser, Way},
};
use source::Source;
use std::{collections::BTreeMap, num::NonZeroUsize, process::ExitCode, time::Instant};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/10_async_multiprocessing_pipeline.py"],
    question: "async fetch, then parsing in processes: what is the best way to join the two?",
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

/// How the stages are joined, and who parses.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: &'static str,
    has_barrier: bool,
    way: Way,
}

const fn plan(name: &'static str, has_barrier: bool, way: Way) -> Plan {
    Plan {
        name,
        has_barrier,
        way,
    }
}

const SCRIPT: Plan = plan("barrier, processes", true, Way::Processes);
const INLINE: Plan = plan("streaming, inline", false, Way::Inline);
const RAYON: Plan = plan("streaming, rayon", false, Way::Rayon);
const PROCESSES: Plan = plan("streaming, processes", false, Way::Processes);

fn plans(only: Option<Way>) -> Vec<Plan> {
    match only {
        None => vec![SCRIPT, INLINE, RAYON, PROCESSES],
        Some(Way::Inline) => vec![plan("barrier, inline", true, Way::Inline), INLINE],
        Some(Way::Rayon) => vec![plan("barrier, rayon", true, Way::Rayon), RAYON],
        Some(Way::Processes) => vec![SCRIPT, PROCESSES],
    }
}

fn main() -> ExitCode {
    STEP.run(&[&SERVER, &PARSE], demonstrate)
}

fn demonstrate(args: &PipelineArgs, lab: &mut Experiment) -> anyhow::Result<()> {
    http::raise_open_files();
    let cpus = NonZeroUsize::new(lab.cpus()).unwrap_or(NonZeroUsize::MIN);
    let workers = args.workers.unwrap_or(cpus);
    let source = Source::open(args, lab.seed())?;
    lab.param("workers", workers);
    lab.param("pages", source.start.pages);

    let plans = plans(args.parse);
    let mut complaints: BTreeMap<String, &str> = BTreeMap::new();
    let mut last = None;
    for plan in plans.repeat(args.rounds.rounds.get()) {
        let figures = run(&plan, args, workers, &source, lab)?;
        if let Some(complaint) = figures.complaint() {
            complaints.entry(complaint).or_insert(plan.name);
        }
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
            claims::tell_and_claim(lab, &plans, &source, figures.pages.len());
        }
    }
    for (complaint, name) in complaints {
        lab.fail(format!("{name}: {complaint}"));
    }
    Ok(())
}

fn run(
    plan: &Plan,
    args: &PipelineArgs,
    workers: NonZeroUsize,
    source: &Source,
    lab: &mut Experiment,
) -> anyhow::Result<Figures> {
    let (start, limits) = (&source.start, args.limits(workers));
    let client = http::async_client(args.timeout);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let bound = Bound::Pipeline {
        each: source.each,
        count: start.pages.get(),
        at_once: limits.in_flight.get(),
        work: "parse",
        workers: match plan.way {
            Way::Inline => 1,
            Way::Rayon | Way::Processes => workers.get(),
        },
    };
    let mut measure = lab.variant(plan.name).observed_by(source).bound(bound);
    if source.each.is_some() {
        // In a crawl the links decide how many there are to fetch at once.
        measure = measure.limit(limits.in_flight.get());
    }
    measure.run_counted(
        || {
            let began = Instant::now();
            let parser = Parser::start(plan.way, workers, Program::this())?;
            let (crawled, held) = if plan.has_barrier {
                let crawl = crawl_with_barrier(&client, start, &parser, &limits);
                (runtime.block_on(crawl), limits.held_with_barrier())
            } else {
                let crawl = crawl_streaming(&client, start, &parser, &limits);
                (runtime.block_on(crawl), limits.held_streaming())
            };
            Ok(Figures::of(crawled, parser.finish(), held, began.elapsed()))
        },
        Figures::tally,
    )
}
