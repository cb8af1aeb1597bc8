//! What a round comes to, and what the run is to show.

use crate::flags::{Args, Variant};
use common::{
    Lab,
    claim::{Check, Claim, Count, Figure, count, in_flight, none_failed, processes},
    format,
};
use lab_10_hybrid_pipeline::{Outcome, PAGES, links::PageReport};
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
        serializer.collect_seq(self.0.iter().map(|page| {
            let outcome = match &page.outcome {
                Outcome::Parsed { title, links, .. } => {
                    json!({"parsed": {"title": title, "links": links}})
                }
                Outcome::Skipped(what) => json!({ "skipped": what }),
                Outcome::Failed(error) => json!({ "failed": error }),
            };
            json!({"url": page.url, "is_found": page.is_found, "outcome": outcome})
        }))
    }
}

fn parsed(page: &PageReport) -> Option<(&str, usize)> {
    match &page.outcome {
        Outcome::Parsed { title, links, .. } => Some((title, *links)),
        _ => None,
    }
}

/// Notes what a round came to, beside what the `first` variant found.
pub(crate) fn note(lab: &mut Lab, name: &str, [first, pages]: [&[PageReport]; 2]) {
    let pairs = first.iter().zip(pages);
    let same = pairs.filter(|(one, other)| one.url == other.url && parsed(one) == parsed(other));
    let different = first.len().max(pages.len()) - same.count();
    let recording = lab.recording(name);
    let fetches = recording.named("fetch");
    let (mut begun, mut came): (Vec<_>, Vec<_>) = fetches.map(|it| (it.start, it.end)).unzip();
    begun.sort_unstable();
    came.sort_unstable();
    // A worker process names its task for what parses there.
    let parses = ["parse", "parse-stream"].map(|name| recording.named(name));
    let overlapped = parses.into_iter().flatten().filter(|parse| {
        let before = |moments: &[_]| moments.partition_point(|moment| *moment <= parse.start);
        before(&begun) > before(&came)
    });
    lab.count(name, OVERLAPPED, overlapped.count());
    let queued = recording.level(PAGES).map_or(0.0, Level::peak) as usize;
    lab.count(name, DIFFERENT, different);
    lab.count(name, QUEUED, queued);
}

fn noted(variant: &Variant, figure: &str) -> Figure<Count> {
    Figure::noted(Some(&variant.name), figure)
}

fn has_none(variant: &Variant, figure: &str) -> Check {
    noted(variant, figure).equals(count(0))
}

/// Makes the claims about the first two variants, with the barrier and without.
fn stages(args: &Args, lab: &mut Lab, variants: &[Variant]) {
    let [barrier, streaming] = [&variants[0], &variants[1]];
    if args.each().is_some() {
        let text = "pages were parsed while others were on their way, with the barrier none";
        let line = "parsed while others were on their way: {left} pages without the barrier, {left2} with it";
        let overlap = Claim::that("stages_overlap", text).in_a_line(line);
        let overlap = overlap.check(noted(streaming, OVERLAPPED).above(count(0)));
        lab.claim(overlap.check(has_none(barrier, OVERLAPPED)).headline());
    }
    compare(lab, variants);
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let line = "waited for a parser at once: {left} pages without the barrier, {right} with it";
    let few = noted(streaming, QUEUED).below(noted(barrier, QUEUED));
    let bounded = Claim::that("queue_is_bounded", text)
        .in_a_line(line)
        .check(few);
    let queue = noted(streaming, QUEUED).at_most(count(args.queue.get()));
    lab.claim(bounded.check(queue).headline());
}

/// Makes the claims of all variants, the first with the barrier and the second the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[Variant]) {
    stages(args, lab, variants);
    let text = "all variants found the same pages with the same titles and links";
    let others = variants.iter().skip(1).map(|it| has_none(it, DIFFERENT));
    lab.claim(others.fold(Claim::that("same_findings", text), Claim::check));
    if args.each().is_some() {
        let text = "the server never saw more requests at once than --max-in-flight allows";
        let most = || count(args.max_in_flight.get());
        let all = variants
            .iter()
            .map(|it| in_flight(&it.name).at_most(most()));
        lab.claim(all.fold(Claim::that("in_flight_is_limited", text), Claim::check));
    }
    if let Some(killed) = variants.iter().find(|it| it.loses_worker) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(processes(&killed.name).above(count(1 + args.workers.get())))
            .check(none_failed(&killed.name))
            .check(has_none(killed, DIFFERENT));
        lab.claim(costs.headline());
    }
}

/// Which of two ways was faster, for each pair that differs in one thing.
fn compare(lab: &mut Lab, variants: &[Variant]) {
    let pairs = [
        ("streaming_is_faster", "without the barrier", [1, 0]),
        ("threads_or_processes", "who parses", [2, 1]),
        ("inline_is_slower", "beside the executor or on it", [2, 3]),
    ];
    let few = if variants.len() > 3 { 3 } else { 1 };
    for (name, about, pair) in pairs.into_iter().take(few) {
        let pair = pair.map(|at| &variants[at]);
        let claim = lab.compare(name, about, pair.map(|it| &*it.name));
        // Times say something where both parsed the same pages, and lost none.
        let fair = pair.iter().fold(claim, |claim, it| {
            let claim = claim.check(none_failed(&it.name));
            claim.check(has_none(it, DIFFERENT))
        });
        lab.claim(fair.needs_cpus().headline());
    }
}

/// Prints the pages if they are the first, and fails the run if one that was asked for did not come.
///
/// A dead link on the way is a finding. Returns whether there is a page at all.
pub(crate) fn report(lab: &mut Lab, name: &str, pages: &[PageReport], is_first: bool) -> bool {
    let links = || pages.iter().filter_map(parsed).map(|it| it.1);
    let (all, well) = (pages.len(), links().count());
    let named = pages.iter().filter(|page| !page.is_found);
    let missing = named.filter_map(|page| match &page.outcome {
        Outcome::Failed(error) => Some(error.clone()),
        Outcome::Skipped(what) if well == 0 => Some(format!("`{}` is {what}", page.url)),
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
