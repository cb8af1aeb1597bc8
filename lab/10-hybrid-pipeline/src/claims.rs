//! What a round comes to, and what the run is to show.

use crate::flags::{Args, KILLED};
use common::{
    Lab,
    claim::{Check, Claim, Count, Figure, count, in_flight, none_failed, processes},
    format,
};
use lab_10_hybrid_pipeline::{Missing, PAGES, links::PageReport};
use serde::{Serialize, Serializer};
use serde_json::json;
use timeline::Level;

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
                Err(Missing::Skipped(what)) => json!({ "skipped": what }),
                Err(Missing::Failed(error)) => json!({ "failed": error }),
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
    let recording = lab.recording(name);
    let fetches = recording.named("fetch");
    let (mut begun, mut came): (Vec<_>, Vec<_>) = fetches.map(|it| (it.start, it.end)).unzip();
    begun.sort_unstable();
    came.sort_unstable();
    // A worker process names its task for what parses there.
    let parses = recording
        .named("parse")
        .chain(recording.named("parse-stream"));
    let overlapped = parses.filter(|parse| {
        let before = |moments: &[_]| moments.partition_point(|moment| *moment <= parse.start);
        before(&begun) > before(&came)
    });
    lab.count(name, OVERLAPPED, overlapped.count());
    let queued = recording.level(PAGES).map_or(0.0, Level::peak) as usize;
    lab.count(name, DIFFERENT, different);
    lab.count(name, QUEUED, queued);
}

fn noted(variant: &str, figure: &str) -> Figure<Count> {
    Figure::noted(Some(variant), figure)
}

fn has_none(variant: &str, figure: &str) -> Check {
    noted(variant, figure).equals(count(0))
}

/// Makes the claims about the first two variants, with the barrier and without.
fn stages(args: &Args, lab: &mut Lab, variants: &[String]) {
    let [barrier, streaming] = [&variants[0], &variants[1]];
    if args.is_generated() {
        let text = "pages were parsed while others were on their way, with the barrier none";
        let line = "parsed while others were on their way: {left} pages without the barrier, {left2} with it";
        let overlap = Claim::that("stages_overlap", text).in_a_line(line);
        let overlap = overlap.check(noted(streaming, OVERLAPPED).above(count(0)));
        lab.claim(overlap.check(has_none(barrier, OVERLAPPED)).headline());
    }
    compare(lab, variants);
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let line = "most pages that waited for a parser: {left} without the barrier, {right} with it";
    let bounded = Claim::that("queue_is_bounded", text).in_a_line(line);
    let bounded = bounded.check(noted(streaming, QUEUED).below(noted(barrier, QUEUED)));
    let queue = noted(streaming, QUEUED).at_most(count(args.queue.get()));
    lab.claim(bounded.check(queue).headline());
}

/// Makes the claims of all variants, the first with the barrier and the second the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[String]) {
    stages(args, lab, variants);
    let text = "all variants found the same pages with the same titles and links";
    let others = variants.iter().skip(1).map(|it| has_none(it, DIFFERENT));
    lab.claim(others.fold(Claim::that("same_findings", text), Claim::check));
    if args.is_generated() {
        let text = "the server never saw more requests at once than --max-in-flight allows";
        let most = args.max_in_flight.get();
        let all = variants.iter().map(|it| in_flight(it).at_most(count(most)));
        lab.claim(all.fold(Claim::that("in_flight_is_limited", text), Claim::check));
    }
    if variants.iter().any(|it| it == KILLED) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(processes(KILLED).above(count(1 + args.workers.get())))
            .check(none_failed(KILLED))
            .check(has_none(KILLED, DIFFERENT));
        lab.claim(costs.headline());
    }
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

/// Prints the pages if they are the first, and fails the run if one that was asked for did not come.
///
/// A dead link on the way is a finding. Returns whether there is a page at all.
pub(crate) fn report(lab: &mut Lab, name: &str, pages: &[PageReport], is_first: bool) -> bool {
    let links = || pages.iter().filter_map(parsed).map(|it| it.1);
    let (all, well) = (pages.len(), links().count());
    let named = pages.iter().filter(|(_, is_found, _)| !is_found);
    let missing = named.filter_map(|(url, _, outcome)| match outcome {
        Err(Missing::Failed(error)) => Some(error.clone()),
        Err(Missing::Skipped(what)) if well == 0 => Some(format!("`{url}` is {what}")),
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    if let Some(reason) = missing.first() {
        let some = format!("{} of {all} pages failed", missing.len());
        lab.fail(format!("{name}: {some}: {reason}"));
    }
    if is_first && well > 0 {
        for (title, links) in pages.iter().filter_map(parsed).take(5) {
            lab.say(format!("{links:>5} links  {title}"));
        }
        let sum = format::count(links().sum::<usize>() as u64);
        lab.say(format!("  {well} of {all} pages parsed, {sum} links"));
    }
    well > 0
}
