//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod claims;
mod flags;

use common::{Lab, Question, Step, Tally};
use flags::{Args, KILLED};
use lab_10_hybrid_pipeline::{
    Crawl, PageReport, crawl_streaming, crawl_with_barrier, follow_links,
    page::{STREAM, TREE},
    workers::Parser,
};
use network::Site;
use process_pool::child::Program;
use std::{num::NonZeroUsize, process::ExitCode};
use tokio::runtime::Builder;
use web::{SERVER, async_client};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/10_async_multiprocessing_pipeline.py (gather, ProcessPoolExecutor)",
    question: "async fetch, process-pool parse: how to join them?",
    why: "While one page is parsed, others can be on their way; a barrier between the stages \
          forbids just that. The channel in between is bounded: when the parsers cannot keep up, \
          the fetchers wait, and no more memory is needed than the limits allow.",
    remember: "Fetching waits and parsing works, so one can go on during the other. A barrier \
              between them forbids just that.",
    predict: (
        "nothing to wait for: what is left to overlap?",
        "cargo run -p lab-10-hybrid-pipeline -- --delay 0",
    ),
    sources: common::sources!["lib.rs", "page.rs", "workers.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&SERVER, &TREE, &STREAM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let variants = args.variants();
    let text = "Without the barrier between fetching and parsing: how many times as fast?";
    let ask = Question::faster(variants[1], variants[0], text);
    let answers = ["not faster", "up to twice", "more than that"];
    lab.predict(ask, &answers, &[1.1, 2.2]);
    lab.legend(
        "barrier, as in the script: gather() all pages, then parse them all. streaming: parse each page as \
         it comes. Who parses: processes, threads (rayon), or the async thread itself (inline).",
    );
    let site = args.open(lab.seed())?;
    let most = args.pages.map_or(site.urls.len(), NonZeroUsize::get);
    lab.param("pages", most);
    let mut first: Option<Vec<PageReport>> = None;
    for round in 0..args.rounds.rounds.get() {
        // The step is about the first two; who else could parse is seen in one round.
        let ran = if round == 0 { variants.len() } else { 2 };
        for &variant in &variants[..ran] {
            let Some(crawled) = run(args, lab, variant, (&site, most))? else {
                continue;
            };
            if round == 0 && !claims::report(lab, variant, &crawled, first.is_none()) {
                // More of the same would only cost the reader's time.
                return Ok(());
            }
            let first = first.get_or_insert_with(|| crawled.clone());
            claims::note(lab, variant, [first, &crawled]);
        }
    }
    claims::add(args, lab, &variants);
    Ok(())
}

/// Runs a variant once; returns its pages, if it was not skipped.
fn run(
    args: &Args,
    lab: &mut Lab,
    variant: &str,
    (site, most): (&Site, usize),
) -> anyhow::Result<Option<Vec<PageReport>>> {
    let (stages, way) = variant.rsplit_once(", ").unwrap_or_default();
    let kill_at = (variant == KILLED).then_some(most.div_ceil(2).min(40) as u64);
    let parse = [&TREE, &STREAM][usize::from(args.parser == "stream")];
    // Threads and processes are there before the clock runs.
    let parser = Parser::start(way, parse, args.workers, Program::this(), kill_at)?;
    let crawl = Crawl {
        client: async_client(args.timeout.0),
        parser: &parser,
        in_flight: args.max_in_flight.get(),
        queue: args.queue.get(),
        // One in each worker, and one that each can take up without asking.
        at_parser: 2 * args.workers.get(),
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let work = || {
        let crawled = follow_links(site.urls.clone(), most, async |urls| match stages {
            "barrier" => crawl_with_barrier(&crawl, urls).await,
            _ => crawl_streaming(&crawl, urls).await,
        });
        Ok(runtime.block_on(crawled))
    };
    // A dead link on the way was followed to its end, too.
    let is_done = |(_, is_found, kept): &PageReport| *is_found || kept.is_ok();
    let tally = |pages: &Vec<_>| Tally::of_checked(pages, is_done);
    let measure = lab.variant(variant).observed_by(site);
    measure.run_counted(work, tally)
}
