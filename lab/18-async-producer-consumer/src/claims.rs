//! Where the items of each run went, and what that shows.

use crate::flags::Args;
use common::{
    Lab, TableReport,
    claim::{Claim, a_tick, count, done, seconds, submitted},
    format,
};
use lab_18_async_producer_consumer::Plan;
use std::{collections::BTreeSet, time::Duration};
use timeline::{Level, Recording, Span};

/// A send that took less did not wait for a consumer: it is no longer than a tick of the timer.
const A_TICK: Duration = Duration::from_millis(1);

/// What one variant showed.
pub(crate) struct Flow {
    name: &'static str,
    finished: usize,
    different: usize,
    /// Accepted by the queue, and not finished.
    lost: usize,
    most_queued: usize,
    waited: Duration,
    /// Finished while the task beside them computed.
    meanwhile: usize,
    computed: Duration,
    /// How long after its time the latest item was finished.
    late: Duration,
}

impl Flow {
    pub(crate) fn of(recording: &Recording, name: &'static str, plan: &Plan, done: &[u64]) -> Self {
        let queued = recording.level("items queued");
        let in_queue = queued.and_then(|level| level.samples.last());
        let in_queue = in_queue.map_or(0, |last| last.1 as usize);
        let waits = recording.named("send").map(Span::duration);
        let mut consumed: Vec<&Span> = recording.named("consume").collect();
        // Items are taken in the order in which they are made.
        consumed.sort_by_key(|span| span.start);
        let late = consumed.iter().zip(&plan.items);
        let late = late.map(|(span, takes)| span.duration().saturating_sub(*takes));
        let computing = recording.first("compute");
        let ends = consumed.iter().map(|span| span.end);
        let within = |it: &Span| ends.filter(|end| (it.start..it.end).contains(end)).count();
        Self {
            name,
            finished: done.len(),
            different: done.iter().collect::<BTreeSet<_>>().len(),
            lost: consumed.len() - done.len() + in_queue,
            most_queued: queued.map_or(0.0, Level::peak) as usize,
            waited: waits.filter(|wait| *wait >= A_TICK).sum(),
            meanwhile: computing.map_or(0, within),
            computed: computing.map(|span| span.busy).unwrap_or_default(),
            late: late.max().unwrap_or_default(),
        }
    }
}

/// Shows the table, and adds the claims.
pub(crate) fn show(lab: &mut Lab, args: &Args, plan: &Plan, flows: &[Flow; 6]) {
    table(lab, flows);
    let [unbounded, bounded, hog, polite, at_once, graceful] = flows;
    let mut waited = |flow: &Flow| lab.duration(flow.name, "waited_for_room", flow.waited);
    let (open_waited, waited) = (waited(unbounded), waited(bounded));
    let mut depth = |flow: &Flow| lab.count(flow.name, "most_items_queued", flow.most_queued);
    let (open_depth, depth) = (depth(unbounded), depth(bounded));
    let queue = || count(args.queue.get());
    let text = "unbounded: the producer never waited, the queue grew past the bound";
    let grows = Claim::that("unbounded_grows", text).check(open_waited.below(a_tick()));
    lab.claim(grows.check(open_depth.above(queue())).headline());
    let text = "bounded: the producer waited until there was room";
    let waits = Claim::that("producer_waits", text).check(waited.at_least(a_tick()));
    lab.claim(waits.headline());
    let text = "the bounded queue never held more than its bound";
    lab.claim(Claim::that("bound_holds", text).check(depth.at_most(queue())));
    let text = "either queue passed every item on exactly once";
    let mut once = Claim::that("each_once", text);
    for flow in [unbounded, bounded] {
        let different = lab.count(flow.name, "different_items", flow.different);
        once = once.check(different.equals(submitted(flow.name)));
    }
    lab.claim(once);
    cooperation(lab, plan, hog, polite);
    let mut lost = |flow: &Flow| lab.count(flow.name, "accepted_and_lost", flow.lost);
    let text = "stopped at once, items that the queue had accepted were lost";
    let claim = Claim::that("abrupt_stop_loses", text).check(lost(at_once).above(count(0)));
    let none = lost(graceful).equals(count(0));
    lab.claim(claim.headline());
    let text = "stopped gracefully, it ended early and lost no item that was accepted";
    let early = done(graceful.name).below(submitted(graceful.name));
    let claim = Claim::that("graceful_stop_loses_none", text).check(early);
    lab.claim(claim.check(none));
}

fn cooperation(lab: &mut Lab, plan: &Plan, hog: &Flow, polite: &Flow) {
    let longest = plan.items.iter().max().map_or(0.0, Duration::as_secs_f64);
    let [hog, polite] = [hog, polite].map(|flow| {
        let meanwhile = lab.count(flow.name, "items_finished_meanwhile", flow.meanwhile);
        let computed = lab.duration(flow.name, "computed_for", flow.computed);
        // Shorter work would be over before the next item is.
        let enough = computed.above(seconds(longest.max(0.001)));
        let late = lab.duration(flow.name, "latest_item_was_late_by", flow.late);
        (meanwhile, enough, late)
    });
    let text = "while a task computed without yielding, no item was finished";
    let claim = Claim::that("hog_takes_every_turn", text).check(hog.1.clone());
    lab.claim(claim.check(hog.0.equals(count(0))).headline());
    let text = "while it computed the same and yielded, items were finished";
    let claim = Claim::that("yielding_shares", text).check(polite.1.clone());
    lab.claim(claim.check(polite.0.above(count(0))));
    let text = "without yielding, the latest item was at least twice as late";
    let claim = Claim::that("gap", text).check(hog.1).check(polite.1);
    lab.claim(claim.check(hog.2.at_least(polite.2 * 2.0)));
}

fn table(lab: &Lab, flows: &[Flow; 6]) {
    let row = |flow: &Flow| {
        let counts = [flow.finished, flow.lost, flow.most_queued].map(|it| it.to_string());
        let times = [flow.waited, flow.late].map(format::seconds);
        [vec![flow.name.into()], counts.into(), times.into()].concat()
    };
    let headings = ",consumed,lost,most queued,producer waited,item late by".split(',');
    lab.table(TableReport {
        title: "Where the items went, and who waited".into(),
        headings: headings.map(String::from).collect(),
        rows: flows.iter().map(row).collect(),
        text_columns: vec![0],
        ..TableReport::default()
    });
}
