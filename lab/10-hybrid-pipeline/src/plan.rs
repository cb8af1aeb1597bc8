//! The variants of this step, and one run of one of them.

use crate::{args::PipelineArgs, figures::Figures, source::Source, spent::Meter};
use anyhow::Context;
use common::{Bound, Lab};
use lab_10_hybrid_pipeline::{
    Limits, Start, crawl_streaming, crawl_with_barrier,
    loss::crawl_losing_a_worker,
    outcome::Crawled,
    workers::{Parser, Way},
};
use process_pool::child::Program;
use reqwest::Client;
use std::{io, num::NonZeroUsize};
use tracing::subscriber::{self, NoSubscriber};

/// In a crawl of more pages the executor's tasks are not on the timeline, which would grow with them.
const MOST_RECORDED: usize = 2_000;

/// How the stages are joined, and who parses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) has_barrier: bool,
    pub(crate) way: Way,
    /// Kill a worker once so many pages are settled.
    pub(crate) loses_at: Option<usize>,
}

const fn plan(name: &'static str, has_barrier: bool, way: Way) -> Plan {
    Plan {
        name,
        has_barrier,
        way,
        loses_at: None,
    }
}

const SCRIPT: Plan = plan("barrier, processes", true, Way::Processes);
const INLINE: Plan = plan("streaming, inline", false, Way::Inline);
const RAYON: Plan = plan("streaming, rayon", false, Way::Rayon);
const PROCESSES: Plan = plan("streaming, processes", false, Way::Processes);

/// The variants to run, in the order of the story; the first is the script's.
pub(crate) fn plans(only: Option<Way>) -> Vec<Plan> {
    match only {
        None => vec![SCRIPT, INLINE, RAYON, PROCESSES],
        Some(Way::Inline) => vec![plan("barrier, inline", true, Way::Inline), INLINE],
        Some(Way::Rayon) => vec![plan("barrier, rayon", true, Way::Rayon), RAYON],
        Some(Way::Processes) => vec![SCRIPT, PROCESSES],
    }
}

/// Processes once more, one of which is killed half-way through a crawl of so many pages.
pub(crate) fn plan_with_loss(pages: usize) -> Plan {
    Plan {
        loses_at: Some(pages.div_ceil(2)),
        ..plan("one worker killed", false, Way::Processes)
    }
}

/// Runs a plan once and keeps its figures in the experiment.
pub(crate) fn run(
    plan: &Plan,
    args: &PipelineArgs,
    workers: NonZeroUsize,
    source: &Source,
    lab: &mut Lab,
) -> anyhow::Result<Figures> {
    let (start, limits) = (&source.start, args.limits(workers));
    let client = web::async_client(args.timeout);
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
            let meter = Meter::start(source.server_cpu());
            let parser = Parser::start(plan.way, workers, Program::this())?;
            let crawl = || runtime.block_on(crawl(plan, &client, start, &parser, &limits));
            let crawled = if start.pages.get() > MOST_RECORDED {
                subscriber::with_default(NoSubscriber::default(), crawl)
            } else {
                crawl()
            };
            let (crawled, killed) =
                crawled.context("cannot kill a worker; leave out --kill-worker")?;
            let pool = parser.finish();
            let totals = &crawled.totals;
            let mut spent = meter.stop(totals.parsed, &totals.shifts, source.server_cpu());
            let waves = totals.parsed.div_ceil(limits.in_flight.get());
            spent.waits_s = source.each.unwrap_or_default().as_secs_f64() * waves as f64;
            let held = if plan.has_barrier {
                limits.held_with_barrier()
            } else {
                limits.held_streaming()
            };
            Ok(Figures::of(crawled, pool, killed, held, spent))
        },
        Figures::tally,
    )
}

/// The crawl of this plan, and the worker that it killed.
async fn crawl(
    plan: &Plan,
    client: &Client,
    start: &Start,
    parser: &Parser,
    limits: &Limits,
) -> io::Result<(Crawled, Option<u32>)> {
    Ok(match plan.loses_at {
        _ if plan.has_barrier => {
            let crawl = crawl_with_barrier(client, start, parser, limits);
            (crawl.await, None)
        }
        None => (crawl_streaming(client, start, parser, limits).await, None),
        Some(at) => crawl_losing_a_worker(client, start, parser, limits, at).await?,
    })
}
