//! Shows what a pipeline gains by letting its stages overlap, and by who parses.

mod claims;
mod flags;

use anyhow::Context;
use claims::Crawled;
use common::{Lab, Question, Step, Tally};
use flags::{Args, Variant};
use futures_util::future::join;
use lab_10_hybrid_pipeline::{
    Crawl, crawl_streaming, crawl_with_barrier,
    frontier::{Outcome, PageReport},
    parse::{STREAM, TREE},
    workers::{Parser, lose_a_worker},
};
use measure::host;
use network::Site;
use process_pool::child::Program;
use std::process::ExitCode;
use tokio::runtime::Builder;
use web::SERVER;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/10_async_multiprocessing_pipeline.py"],
    question: "async fetch, process-pool parse: how to join them?",
    why: "While one page is parsed, others can be on their way; a barrier between the stages \
          forbids just that. The channel in between is bounded: when the parsers cannot keep up, \
          the fetchers wait, and no more memory is needed than \
          the limits allow.",
    remember: "Fetching waits and parsing works, so one can go on during the other. A barrier \
              between them forbids just that.",
    predict: (
        "nothing to wait for: what is left to overlap?",
        "cargo run -p lab-10-hybrid-pipeline -- --delay 0",
    ),
    sources: common::sources!["lib.rs", "frontier.rs", "tree.rs", "workers.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&SERVER, &TREE, &STREAM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let variants = args.variants();
    let text = "Without the barrier between fetching and parsing: how many times as fast?";
    let ask = Question::faster(&variants[1].name, &variants[0].name, text);
    let answers = ["not faster", "up to twice", "more than that"];
    lab.predict(ask, &answers, &[1.1, 2.2]);
    lab.legend(
        "barrier: all pages are fetched before the first is parsed. streaming: each is parsed when it is \
         there; by processes, by threads (rayon), or inline, by the thread that fetches.",
    );
    host::raise_open_files();
    let (site, pages) = args.open(lab.seed())?;
    lab.param("pages", pages);
    let mut first: Option<Vec<PageReport>> = None;
    for round in 0..args.rounds.rounds.get() {
        for variant in &variants {
            let (Some(crawled), lost) = run(args, variant, &site, pages, lab)? else {
                continue;
            };
            if round == 0 && !claims::report(lab, &variant.name, &crawled, first.is_none()) {
                // More of the same would only cost the reader's time.
                return Ok(());
            }
            let first = first.get_or_insert_with(|| crawled.clone());
            claims::note(lab, &variant.name, [first, &crawled], lost);
        }
    }
    claims::add(args, lab, &variants);
    Ok(())
}

/// Runs a variant once; returns its pages, if it was not skipped, and how many workers were lost.
fn run(
    args: &Args,
    variant: &Variant,
    site: &Site,
    pages: usize,
    lab: &mut Lab,
) -> anyhow::Result<(Option<Vec<PageReport>>, usize)> {
    let bound = args.bound(variant.way, pages);
    let mut measure = lab.variant(&variant.name).observed_by(site).bound(bound);
    if args.each().is_some() {
        // In a crawl the links decide how many there are to fetch at once.
        measure = measure.limit(args.max_in_flight.get());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut lost = 0;
    let work = || {
        let parse = args.parse_with();
        let parser = Parser::start(variant.way, parse, args.workers, Program::this())?;
        let crawl = args.crawl(&parser, site, pages);
        runtime.block_on(drive(&crawl, variant, pages))?;
        if let Parser::Processes(pool) = &parser {
            lost = pool.shutdown().workers_lost as usize;
        }
        Ok(Crawled(crawl.frontier.finish()))
    };
    // A skipped page counts as done: it came, and there was nothing to do.
    let is_done = |page: &PageReport| !matches!(page.outcome, Some(Outcome::Failed(_)));
    let crawled = measure.run_counted(work, |all| Tally::of_checked(&all.0, is_done))?;
    Ok((crawled.map(|it| it.0), lost))
}

async fn drive(crawl: &Crawl<'_>, variant: &Variant, pages: usize) -> anyhow::Result<()> {
    match (variant.has_barrier, variant.loses_worker) {
        (true, _) => crawl_with_barrier(crawl).await,
        (_, false) => crawl_streaming(crawl).await,
        (_, true) => {
            let loss = lose_a_worker(crawl, pages.div_ceil(2));
            let lost = join(crawl_streaming(crawl), loss).await.1;
            lost.context("cannot kill a worker; leave out --kill-worker")?;
        }
    }
    Ok(())
}
