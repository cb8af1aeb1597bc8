//! What a round comes to, and what the run is to show.

use crate::flags::{Args, KILLED};
use common::{
    Lab,
    claim::{Claim, Count, Figure, none_failed, processes},
};
use lab_10_hybrid_pipeline::{PAGES, PageReport};
use timeline::Level;

const OVERLAPPED: &str = "pages_parsed_while_others_came";
const DIFFERENT: &str = "pages_that_differ";
const QUEUED: &str = "most_pages_between_the_stages";

/// Notes what a round came to, beside what the `first` variant found.
pub(crate) fn note(lab: &mut Lab, name: &str, [first, pages]: [&[PageReport]; 2]) {
    let found = |(url, _, kept): &PageReport| (url.clone(), kept.clone().ok());
    let pairs = first.iter().zip(pages);
    let different = pairs.filter(|pair| found(pair.0) != found(pair.1));
    lab.note(name, DIFFERENT, different.count());
    let recording = lab.recording(name);
    // A worker process names its task for what parses there.
    let parses = ["parse", "parse-stream"].into_iter();
    let parses = parses.flat_map(|name| recording.named(name));
    let last = recording.named("fetch").map(|fetch| fetch.end).max();
    let overlapped = parses.filter(|parse| Some(parse.start) < last).count();
    lab.note(name, OVERLAPPED, overlapped);
    let queued = recording.level(PAGES).map_or(0.0, Level::peak);
    lab.note(name, QUEUED, queued as usize);
}

fn noted(variant: &str, figure: &str) -> Figure<Count> {
    Figure::noted(Some(variant), figure)
}

/// Makes the claims: the first variant has the barrier, and the second is the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[&str]) {
    let [barrier, streaming] = [variants[0], variants[1]];
    if args.url.is_empty() {
        let text = "pages were parsed while others were on their way, with the barrier none";
        let line = "parsed while others came: {left} pages without the barrier, {left2} with it";
        let overlap = Claim::that("stages_overlap", text)
            .check(noted(streaming, OVERLAPPED).above(0))
            .check(noted(barrier, OVERLAPPED).equals(0));
        lab.claim(overlap.in_a_line(line).headline());
    }
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let line = "most pages that waited for a parser: {left} without the barrier, {right} with it";
    let bounded = Claim::that("queue_is_bounded", text)
        .check(noted(streaming, QUEUED).below(noted(barrier, QUEUED)))
        .check(noted(streaming, QUEUED).at_most(args.queue.get()));
    lab.claim(bounded.in_a_line(line).headline());
    let ways = [streaming, barrier];
    let faster = lab.compare("streaming_is_faster", "without the barrier", ways);
    // Times say something where no page was lost.
    let fair = ways.into_iter().map(none_failed).fold(faster, Claim::check);
    lab.claim(fair.needs_cpus().headline());
    let text = "all variants found the same pages with the same titles and links";
    let same = variants.iter().map(|it| noted(it, DIFFERENT).equals(0));
    lab.claim(same.fold(Claim::that("same_findings", text), Claim::check));
    if variants.contains(&KILLED) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(processes(KILLED).above(1 + args.workers.get()))
            .check(none_failed(KILLED));
        lab.claim(costs.headline());
    }
}

/// Prints the pages if they are the first, and fails the run if one that was asked for is not known.
///
/// A dead link on the way is a finding. Returns whether there is a page at all.
pub(crate) fn report(lab: &mut Lab, name: &str, pages: &[PageReport], is_first: bool) -> bool {
    let asked_for = pages.iter().filter(|page| !page.1);
    let failed: Vec<_> = asked_for.filter_map(|page| page.2.as_ref().err()).collect();
    if let Some(reason) = failed.first() {
        let some = format!("{} of {} pages failed", failed.len(), pages.len());
        lab.fail(format!("{name}: {some}: {reason}"));
    }
    let known: Vec<_> = pages.iter().flat_map(|page| &page.2).collect();
    if is_first && !known.is_empty() {
        for (title, links) in known.iter().take(5) {
            // What a stranger wrote must not steer the terminal.
            let title = title.replace(char::is_control, "\u{fffd}");
            lab.say(format!("{links:>5} links  {title:.200}"));
        }
        let links: usize = known.iter().map(|page| page.1).sum();
        let (known, all) = (known.len(), pages.len());
        lab.say(format!("  {known} of {all} pages parsed, {links} links"));
    }
    !known.is_empty()
}
