//! What a round comes to, and what the run is to show.

use crate::flags::{Args, Variant};
use common::{
    Lab,
    claim::{Claim, Count, Figure, count, in_flight, none_failed},
    format,
};
use lab_10_hybrid_pipeline::{
    PAGES,
    frontier::{Outcome, PageReport},
    parse::Parsed,
    workers::Way,
};
use std::process;
use timeline::Level;

fn parsed(page: &PageReport) -> Option<&Parsed> {
    match &page.outcome {
        Some(Outcome::Parsed(parsed)) => Some(parsed),
        _ => None,
    }
}

/// What claims are made of beside the times.
pub(crate) struct Shown {
    parsed_here: Figure<Count>,
    different: Figure<Count>,
    queued: Figure<Count>,
    lost: Figure<Count>,
}

impl Shown {
    /// Notes what a round came to, beside what the `first` variant found.
    pub(crate) fn note(
        lab: &mut Lab,
        name: &str,
        [first, pages]: [&[PageReport]; 2],
        lost: usize,
    ) -> Self {
        let found = |page: &PageReport| parsed(page).map(|it| (it.title.clone(), it.links));
        let pairs = first.iter().zip(pages);
        let same = pairs.filter(|(one, other)| one.url == other.url && found(one) == found(other));
        let different = first.len().max(pages.len()) - same.count();
        let came = pages.iter().filter_map(parsed);
        let here = came.filter(|page| page.pid == process::id());
        let queued = lab.recording(name).level(PAGES).map_or(0.0, Level::peak);
        let mut note = |figure, value| lab.count(name, figure, value);
        Self {
            parsed_here: note("pages_parsed_in_this_process", here.count()),
            different: note("pages_that_differ", different),
            queued: note("most_pages_between_the_stages", queued as usize),
            lost: note("workers_lost", lost),
        }
    }
}

/// Makes the claims of all variants, the first with the barrier and the second the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[Variant], shown: &[Shown]) {
    let is = |figure: &Figure<Count>, number| figure.clone().equals(count(number));
    let all = || variants.iter().zip(shown);
    let mut compare = |name, about, pair: [usize; 2]| {
        let claim = lab.compare(name, about, pair.map(|number| &*variants[number].name));
        // Times say something where both parsed the same pages, and lost none.
        let fair = pair.iter().fold(claim, |claim, number| {
            let claim = claim.check(none_failed(&variants[*number].name));
            claim.check(is(&shown[*number].different, 0))
        });
        lab.claim(fair.needs_cpus().headline());
    };
    compare("streaming_is_faster", "without the barrier", [1, 0]);
    if variants.len() > 3 {
        compare("threads_or_processes", "threads or processes", [2, 1]);
        compare("inline_is_slower", "beside the executor or on it", [2, 3]);
    }
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let queued = shown[1].queued.clone();
    let bounded = Claim::that("queue_is_bounded", text)
        .check(queued.clone().below(shown[0].queued.clone()))
        .check(queued.at_most(count(args.queue.get())));
    lab.claim(bounded.headline());
    let text = "all variants found the same pages with the same titles and links";
    let same = Claim::that("same_findings", text);
    let others = all().skip(1);
    lab.claim(others.fold(same, |claim, (_, it)| claim.check(is(&it.different, 0))));
    if args.each().is_some() {
        let text = "the server never saw more requests at once than --max-in-flight allows";
        let limited = Claim::that("in_flight_is_limited", text);
        lab.claim(all().fold(limited, |claim, (variant, _)| {
            claim.check(in_flight(&variant.name).at_most(count(args.max_in_flight.get())))
        }));
    }
    let mut pools = all().filter(|(variant, _)| variant.way == Way::Processes);
    if let Some((_, first)) = pools.next() {
        let text = "every page of the pool's variants was parsed outside this process";
        let apart = Claim::that("parsed_elsewhere", text).check(is(&first.parsed_here, 0));
        lab.claim(pools.fold(apart, |claim, (_, it)| claim.check(is(&it.parsed_here, 0))));
    }
    if let Some((killed, it)) = all().find(|(variant, _)| variant.loses_worker) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(it.lost.clone().above(count(0)))
            .check(none_failed(&killed.name))
            .check(is(&it.different, 0));
        lab.claim(costs.headline());
    }
}

/// Prints the pages if they are the first, and fails the run if one that was asked for did not come.
///
/// A dead link on the way is a finding. Returns whether there is a page at all.
pub(crate) fn report(lab: &mut Lab, name: &str, pages: &[PageReport], is_first: bool) -> bool {
    let links: Vec<usize> = pages.iter().filter_map(parsed).map(|it| it.links).collect();
    let nothing = links.is_empty();
    let named = pages.iter().filter(|page| !page.is_found);
    let missing = named.filter_map(|page| match &page.outcome {
        Some(Outcome::Failed(error)) => Some(error.clone()),
        Some(Outcome::Skipped(what)) if nothing => Some(format!("`{}` is {what}", page.url)),
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    let all = pages.len();
    if let Some(reason) = missing.first() {
        let some = format!("{} of {all} pages failed", missing.len());
        lab.fail(format!("{name}: {some}: {reason}"));
    }
    if is_first && !nothing {
        for page in pages.iter().filter_map(parsed).take(5) {
            lab.say(format!("{:>5} links  {}", page.links, page.title));
        }
        let (well, sum) = (
            links.len(),
            format::count(links.iter().sum::<usize>() as u64),
        );
        lab.say(format!("  {well} of {all} pages parsed, {sum} links"));
    }
    !nothing
}
