//! What a round comes to, and what the run is to show.

use crate::flags::{Args, KILLED};
use common::{
    Lab,
    claim::{Check, Claim, Count, Figure, none_failed, processes},
    format,
};
use lab_10_hybrid_pipeline::{PAGES, links::PageReport};
use serde::{Serialize, Serializer};
use serde_json::json;
use timeline::{Level, Span};

const OVERLAPPED: &str = "pages_parsed_while_others_came";
const DIFFERENT: &str = "pages_that_differ";
const QUEUED: &str = "most_pages_between_the_stages";

/// The pages of a crawl, as `--json` has them.
pub(crate) struct Crawled(pub(crate) Vec<PageReport>);

impl Serialize for Crawled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(url, is_found, outcome)| {
            let outcome = match outcome {
                Ok((title, links, _)) => json!({"parsed": {"title": title, "links": links}}),
                Err(error) => json!({ "failed": error }),
            };
            json!({"url": url, "is_found": is_found, "outcome": outcome})
        }))
    }
}

fn parsed((.., outcome): &PageReport) -> Option<(&str, usize)> {
    let (title, links, _) = outcome.as_ref().ok()?;
    Some((title, *links))
}

/// Notes what a round came to, beside what the `first` variant found.
pub(crate) fn note(lab: &mut Lab, name: &str, [first, pages]: [&[PageReport]; 2]) {
    let pairs = first.iter().zip(pages);
    let same = pairs.filter(|(one, other)| one.0 == other.0 && parsed(one) == parsed(other));
    let different = first.len().max(pages.len()) - same.count();
    lab.note(name, DIFFERENT, different);
    let recording = lab.recording(name);
    let fetches: Vec<&Span> = recording.named("fetch").collect();
    // A worker process names its task for what parses there.
    let parses = ["parse", "parse-stream"];
    let parses = parses.iter().flat_map(|name| recording.named(name));
    let is_on_its_way = |at| fetches.iter().any(|it| it.start <= at && at < it.end);
    let overlapped = parses.filter(|parse| is_on_its_way(parse.start)).count();
    lab.note(name, OVERLAPPED, overlapped);
    let queued = recording.level(PAGES).map_or(0.0, Level::peak);
    lab.note(name, QUEUED, queued as usize);
}

fn noted(variant: &str, figure: &str) -> Figure<Count> {
    Figure::noted(Some(variant), figure)
}

fn has_none(variant: &str, figure: &str) -> Check {
    noted(variant, figure).equals(0)
}

/// Makes the claims of all variants, the first with the barrier and the second the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[String]) {
    stages(args, lab, [&variants[0], &variants[1]]);
    compare(lab, variants);
    let text = "all variants found the same pages with the same titles and links";
    let others = variants.iter().skip(1).map(|it| has_none(it, DIFFERENT));
    lab.claim(others.fold(Claim::that("same_findings", text), Claim::check));
    if variants.iter().any(|it| it == KILLED) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(processes(KILLED).above(1 + args.workers.get()))
            .check(none_failed(KILLED))
            .check(has_none(KILLED, DIFFERENT));
        lab.claim(costs.headline());
    }
}

/// What the barrier does, whoever is faster.
fn stages(args: &Args, lab: &mut Lab, [barrier, streaming]: [&str; 2]) {
    if args.url.is_empty() {
        let text = "pages were parsed while others were on their way, with the barrier none";
        let line = "parsed while others were on their way: {left} pages without the barrier, {left2} with it";
        let overlap = Claim::that("stages_overlap", text).in_a_line(line);
        let overlap = overlap.check(noted(streaming, OVERLAPPED).above(0));
        lab.claim(overlap.check(has_none(barrier, OVERLAPPED)).headline());
    }
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let line = "most pages that waited for a parser: {left} without the barrier, {right} with it";
    let bounded = Claim::that("queue_is_bounded", text).in_a_line(line);
    let bounded = bounded.check(noted(streaming, QUEUED).below(noted(barrier, QUEUED)));
    let queue = noted(streaming, QUEUED).at_most(args.queue.get());
    lab.claim(bounded.check(queue).headline());
}

/// Which of two ways was faster, for each pair that differs in one thing.
fn compare(lab: &mut Lab, variants: &[String]) {
    let pairs = [
        ("streaming_is_faster", "without the barrier", [1, 0]),
        ("threads_or_processes", "who parses", [2, 1]),
        ("inline_is_slower", "off the async thread", [2, 3]),
    ];
    let few = if variants.len() > 3 { 3 } else { 1 };
    for (name, about, pair) in pairs.into_iter().take(few) {
        let pair = pair.map(|at| &*variants[at]);
        let claim = lab.compare(name, about, pair);
        // Times say something where both parsed the same pages, and lost none.
        let fair = pair.map(|it| [none_failed(it), has_none(it, DIFFERENT)]);
        let fair = fair.into_iter().flatten().fold(claim, Claim::check);
        lab.claim(fair.needs_cpus().headline());
    }
}

/// Prints the pages if they are the first, and fails the run if one that was asked for is not known.
///
/// A dead link on the way is a finding. Returns whether there is a page at all.
pub(crate) fn report(lab: &mut Lab, name: &str, pages: &[PageReport], is_first: bool) -> bool {
    let known: Vec<_> = pages.iter().filter_map(parsed).collect();
    let asked_for = pages.iter().filter(|(_, is_found, _)| !is_found);
    let failed = asked_for.filter_map(|(.., outcome)| outcome.as_ref().err());
    let failed: Vec<&String> = failed.collect();
    if let Some(reason) = failed.first() {
        let some = format!("{} of {} pages failed", failed.len(), pages.len());
        lab.fail(format!("{name}: {some}: {reason}"));
    }
    if is_first && !known.is_empty() {
        for (title, links) in known.iter().take(5) {
            lab.say(format!("{links:>5} links  {title:.200}"));
        }
        let links = format::count(known.iter().map(|page| page.1 as u64).sum());
        let (known, all) = (known.len(), pages.len());
        lab.say(format!("  {known} of {all} pages parsed, {links} links"));
    }
    !known.is_empty()
}
