//! The variants of this step, one run of one of them, and what it came to.

use crate::{flags::PipelineArgs, source::Source};
use anyhow::Context;
use common::{
    Bound, Lab, Tally,
    claim::{Count, Figure, Seconds},
};
use lab_10_hybrid_pipeline::{
    PAGES, crawl_streaming, crawl_with_barrier,
    frontier::{Outcome, PageReport},
    loss::crawl_losing_a_worker,
    parse::Parsed,
    workers::{Parser, Way},
};
use process_pool::{Ledger, child::Program};
use std::{num::NonZeroUsize, process, time::Duration};

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
pub(crate) fn losing_a_worker(pages: usize) -> Plan {
    Plan {
        loses_at: Some(pages.div_ceil(2)),
        ..plan("one worker killed", false, Way::Processes)
    }
}

impl Plan {
    pub(crate) fn loses_a_worker(&self) -> bool {
        self.loses_at.is_some()
    }
}

/// Runs a plan once; returns its pages, and how many workers were lost.
pub(crate) fn run(
    plan: &Plan,
    args: &PipelineArgs,
    workers: NonZeroUsize,
    source: &Source,
    lab: &mut Lab,
) -> anyhow::Result<(Vec<PageReport>, usize)> {
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
    let mut ledger = Ledger::default();
    let crawl = || {
        let parser = Parser::start(plan.way, workers, Program::this())?;
        let pages = runtime.block_on(async {
            Ok(match plan.loses_at {
                Some(at) => crawl_losing_a_worker(&client, start, &parser, &limits, at).await?,
                None if plan.has_barrier => {
                    crawl_with_barrier(&client, start, &parser, &limits).await
                }
                None => crawl_streaming(&client, start, &parser, &limits).await,
            })
        });
        ledger = parser.finish().unwrap_or_default();
        pages
            .map_err(|error: std::io::Error| error)
            .context("cannot kill a worker; leave out --kill-worker")
    };
    // A skipped page counts as done: it came, and there was nothing to do.
    let is_done = |page: &PageReport| !matches!(page.outcome, Outcome::Failed(_));
    let pages = measure.run_counted(crawl, |pages| Tally::of_checked(pages, is_done))?;
    Ok((pages, ledger.workers_lost as usize))
}

/// What claims are made of beside the times.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) parsed: Figure<Count>,
    pub(crate) parsed_here: Figure<Count>,
    /// Pages whose title or links are not those that the first variant found.
    pub(crate) different: Figure<Count>,
    /// The most pages between the stages.
    pub(crate) queued: Figure<Count>,
    pub(crate) mean_fetch: Figure<Seconds>,
    pub(crate) workers_lost: Figure<Count>,
}

/// Notes what a round came to, beside what the `first` variant found.
pub(crate) fn note(
    lab: &mut Lab,
    plan: &Plan,
    first: &[PageReport],
    pages: &[PageReport],
    workers_lost: usize,
) -> Shown {
    let parsed = |page: &PageReport| match &page.outcome {
        Outcome::Parsed { parsed, elapsed } => Some((parsed.clone(), *elapsed)),
        Outcome::Skipped(_) | Outcome::Failed(_) => None,
    };
    let came: Vec<(Parsed, Duration)> = pages.iter().filter_map(parsed).collect();
    let here = came.iter().filter(|(page, _)| page.pid == process::id());
    let here = here.count();
    let fetching: Duration = came.iter().map(|(_, elapsed)| elapsed).sum();
    let finding = |page: &PageReport| {
        let finding = parsed(page).map(|(page, _)| (page.title, page.links));
        (page.url.clone(), finding)
    };
    let pairs = first.iter().zip(pages);
    let different = pairs.filter(|(one, other)| finding(one) != finding(other));
    let different = different.count() + first.len().abs_diff(pages.len());
    let levels = lab.recording(plan.name).levels;
    let queue = levels.iter().find(|level| level.name == PAGES);
    let queued = queue.map_or(0.0, timeline::Level::peak) as usize;
    let name = plan.name;
    Shown {
        parsed: lab.count(name, "pages_parsed", came.len()),
        parsed_here: lab.count(name, "pages_parsed_in_this_process", here),
        different: lab.count(name, "pages_that_differ", different),
        queued: lab.count(name, "most_pages_between_the_stages", queued),
        mean_fetch: lab.duration(
            name,
            "mean_time_of_a_fetch",
            fetching / came.len().max(1) as u32,
        ),
        workers_lost: lab.count(name, "workers_lost", workers_lost),
    }
}
