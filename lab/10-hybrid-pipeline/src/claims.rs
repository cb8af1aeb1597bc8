//! What a round comes to, and what the run is to show.

use crate::flags::{Args, Variant};
use common::{
    Lab,
    claim::{Check, Claim, Count, Figure, count, in_flight, none_failed},
    format,
};
use lab_10_hybrid_pipeline::{
    PAGES,
    frontier::{Outcome, PageReport},
    parse::Parsed,
    workers::Way,
};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use timeline::{LaneKind, Level};

const PARSED_HERE: &str = "pages_parsed_in_this_process";
const DIFFERENT: &str = "pages_that_differ";
const QUEUED: &str = "most_pages_between_the_stages";
const LOST: &str = "workers_lost";

/// The pages of a crawl, as `--json` has them.
pub(crate) struct Crawled(pub(crate) Vec<PageReport>);

impl Serialize for Crawled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|page| {
            let outcome = match &page.outcome {
                Some(Outcome::Parsed((title, links, _))) => {
                    json!({"parsed": {"title": title, "links": links}})
                }
                Some(Outcome::Skipped(what)) => json!({ "skipped": what }),
                Some(Outcome::Failed(error)) => json!({ "failed": error }),
                None => Value::Null,
            };
            json!({"url": page.url, "is_found": page.is_found, "outcome": outcome})
        }))
    }
}

fn parsed(page: &PageReport) -> Option<&Parsed> {
    match &page.outcome {
        Some(Outcome::Parsed(parsed)) => Some(parsed),
        _ => None,
    }
}

/// Notes what a round came to, beside what the `first` variant found.
pub(crate) fn note(lab: &mut Lab, name: &str, [first, pages]: [&[PageReport]; 2], lost: usize) {
    let pairs = first.iter().zip(pages);
    let same = pairs.filter(|(one, other)| one.url == other.url && parsed(one) == parsed(other));
    let different = first.len().max(pages.len()) - same.count();
    let recording = lab.recording(name);
    let here = recording.lanes.iter();
    let here = here.filter(|lane| lane.id.kind != LaneKind::Process);
    let here = here.flat_map(|lane| &lane.spans);
    let here = here.filter(|span| span.name == "parse").count();
    let queued = recording.level(PAGES).map_or(0.0, Level::peak) as usize;
    lab.count(name, PARSED_HERE, here);
    lab.count(name, DIFFERENT, different);
    lab.count(name, QUEUED, queued);
    lab.count(name, LOST, lost);
}

fn noted(variant: &Variant, figure: &str) -> Figure<Count> {
    Figure::noted(Some(&variant.name), figure)
}

fn has_none(variant: &Variant, figure: &str) -> Check {
    noted(variant, figure).equals(count(0))
}

/// Makes the claims of all variants, the first with the barrier and the second the same without.
pub(crate) fn add(args: &Args, lab: &mut Lab, variants: &[Variant]) {
    compare(lab, variants);
    let text = "fewer pages waited without the barrier, and no more than --queue allows";
    let [barrier, streaming] = [0, 1].map(|at| noted(&variants[at], QUEUED));
    let bounded = Claim::that("queue_is_bounded", text)
        .check(streaming.clone().below(barrier))
        .check(streaming.at_most(count(args.queue.get())));
    lab.claim(bounded.headline());
    let mut of_all = |name, text, all: Vec<Check>| {
        if !all.is_empty() {
            lab.claim(all.into_iter().fold(Claim::that(name, text), Claim::check));
        }
    };
    let text = "all variants found the same pages with the same titles and links";
    let others = variants.iter().skip(1);
    let same = others.map(|it| has_none(it, DIFFERENT)).collect();
    of_all("same_findings", text, same);
    if args.each().is_some() {
        let text = "the server never saw more requests at once than --max-in-flight allows";
        let most = || count(args.max_in_flight.get());
        let all = variants.iter();
        let limited = all.map(|it| in_flight(&it.name).at_most(most())).collect();
        of_all("in_flight_is_limited", text, limited);
    }
    let text = "every page of the pool's variants was parsed outside this process";
    let pools = variants.iter().filter(|it| it.way == Way::Processes);
    let apart = pools.map(|it| has_none(it, PARSED_HERE)).collect();
    of_all("parsed_elsewhere", text, apart);
    if let Some(killed) = variants.iter().find(|it| it.loses_worker) {
        let text = "a worker was killed in mid-crawl, and every page was parsed";
        let costs = Claim::that("loss_costs_no_page", text)
            .check(noted(killed, LOST).above(count(0)))
            .check(none_failed(&killed.name))
            .check(has_none(killed, DIFFERENT));
        lab.claim(costs.headline());
    }
}

/// Which of two ways was faster, for each pair that differs in one thing.
fn compare(lab: &mut Lab, variants: &[Variant]) {
    let pairs = [
        ("streaming_is_faster", "without the barrier", [1, 0]),
        ("threads_or_processes", "threads or processes", [2, 1]),
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
        Some(Outcome::Failed(error)) => Some(error.clone()),
        Some(Outcome::Skipped(what)) if well == 0 => Some(format!("`{}` is {what}", page.url)),
        _ => None,
    });
    let missing: Vec<String> = missing.collect();
    if let Some(reason) = missing.first() {
        let some = format!("{} of {all} pages failed", missing.len());
        lab.fail(format!("{name}: {some}: {reason}"));
    }
    if is_first && well > 0 {
        for (title, links, _) in pages.iter().filter_map(parsed).take(5) {
            lab.say(format!("{links:>5} links  {title}"));
        }
        let sum = format::count(links().sum::<usize>() as u64);
        lab.say(format!("  {well} of {all} pages parsed, {sum} links"));
    }
    well > 0
}
