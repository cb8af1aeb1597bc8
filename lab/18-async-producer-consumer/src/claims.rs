//! Where the items of each run went, and what that shows.

use crate::flags::Args;
use common::{
    Lab,
    claim::{A_TICK, Claim, Count, Figure, Seconds, Unit, done, submitted},
    format,
};
use lab_18_async_producer_consumer::Plan;
use std::collections::BTreeSet;
use timeline::{Level, Span};

// What is noted of each variant.
const DIFFERENT: &str = "different_items";
const LOST: &str = "accepted_and_lost";
const QUEUED: &str = "most_items_queued";
const WAITED: &str = "waited_for_room";
const MEANWHILE: &str = "items_finished_meanwhile";
const COMPUTED: &str = "computed_for";
const LATE: &str = "latest_item_was_late_by";

/// Notes where the items of the variant's latest run went; returns its row in the table.
pub(crate) fn note(lab: &mut Lab, name: &str, plan: &Plan, finished: &[u64]) -> Vec<String> {
    let recording = lab.recording(name);
    let level = recording.level("items queued");
    let left = level.and_then(|level| level.samples.last());
    let left = left.map_or(0, |last| last.1 as usize);
    let mut consumed: Vec<&Span> = recording.named("consume").collect();
    // Items are taken in the order in which they are made.
    consumed.sort_by_key(|span| span.start);
    // Accepted by the queue, and not finished.
    let lost = consumed.len() - finished.len() + left;
    let queued = level.map_or(0.0, Level::peak) as usize;
    let waits = recording.named("send").map(Span::duration);
    let waited = waits.filter(|wait| *wait >= A_TICK).sum();
    let late = consumed.iter().zip(&plan.items);
    let late = late.map(|(span, takes)| span.duration().saturating_sub(*takes));
    let late = late.max().unwrap_or_default();
    let different: BTreeSet<&u64> = finished.iter().collect();
    lab.note(name, DIFFERENT, different.len());
    lab.note(name, LOST, lost);
    lab.note(name, QUEUED, queued);
    lab.note(name, WAITED, waited);
    lab.note(name, LATE, late);
    if let Some(computing) = recording.first("compute") {
        let within = |it: &&&Span| (computing.start..computing.end).contains(&it.end);
        let meanwhile = consumed.iter().filter(within).count();
        lab.note(name, MEANWHILE, meanwhile);
        lab.note(name, COMPUTED, computing.busy);
    }
    let counts = [finished.len(), lost, queued].map(|it| it.to_string());
    let times = [waited, late].map(format::seconds);
    [vec![name.into()], counts.into(), times.into()].concat()
}

/// Shows the table, a row for each variant, and adds the claims.
pub(crate) fn show(lab: &mut Lab, args: &Args, plan: &Plan, rows: Vec<Vec<String>>) {
    let headings = ",consumed,lost,most queued,wait for room,wait for a turn".split(',');
    let headings: Vec<&str> = headings.collect();
    let note = "wait for a turn: the longest time that a consumer was ready and did not run";
    lab.table("Where the items went", &headings, rows, note);
    claim_bound(lab, args.queue.get());
    claim_turns(lab, plan);
    claim_stops(lab);
}

fn noted<U: Unit>(name: &str, figure: &str) -> Figure<U> {
    Figure::noted(Some(name), figure)
}

/// What a bound on the queue does to it and to its producer.
fn claim_bound(lab: &mut Lab, bound: usize) {
    let queue = || bound;
    let text = "unbounded: the producer never waited, the queue grew past the bound";
    let grows = Claim::that("unbounded_grows", text)
        .check(noted("unbounded", WAITED).below(A_TICK))
        .check(noted("unbounded", QUEUED).above(queue()));
    let text = "bounded: the producer waited until there was room";
    let waits = Claim::that("producer_waits", text);
    let waits = waits.check(noted("bounded", WAITED).at_least(A_TICK));
    let text = "the bounded queue never held more than its bound";
    let holds = Claim::that("bound_holds", text);
    let holds = holds.check(noted("bounded", QUEUED).at_most(queue()));
    let text = "either queue passed every item on exactly once";
    let once = |name| noted(name, DIFFERENT).equals(submitted(name));
    let once = Claim::that("each_once", text)
        .check(once("unbounded"))
        .check(once("bounded"));
    for claim in [grows.headline(), waits.headline(), holds, once] {
        lab.claim(claim);
    }
}

/// What a task that computes does to the others on its thread.
fn claim_turns(lab: &mut Lab, plan: &Plan) {
    let (hog, polite) = ("never awaits", "awaits");
    let longest = plan.items.iter().max().copied().unwrap_or_default();
    // Shorter work would be over before the next item is.
    let enough = |name| noted(name, COMPUTED).above(longest.max(A_TICK));
    let text = "while a task computed without an await, no item was finished";
    let takes = Claim::that("hog_takes_every_turn", text).check(enough(hog));
    lab.claim(
        takes
            .check(noted::<Count>(hog, MEANWHILE).equals(0))
            .headline(),
    );
    let text = "while it computed the same with awaits, items were finished";
    let shares = Claim::that("yielding_shares", text).check(enough(polite));
    lab.claim(shares.check(noted::<Count>(polite, MEANWHILE).above(0)));
    let text = "without an await, a consumer waited at least twice as long for its turn";
    let gap = Claim::that("gap", text)
        .check(enough(hog))
        .check(enough(polite));
    lab.claim(gap.check(noted::<Seconds>(hog, LATE).at_least(noted(polite, LATE) * 2.0)));
}

/// What each way to stop does to the items in the queue.
fn claim_stops(lab: &mut Lab) {
    let text = "stopped at once, items that the queue had accepted were lost";
    let abrupt = Claim::that("abrupt_stop_loses", text);
    let abrupt = abrupt.check(noted::<Count>("stop at once", LOST).above(0));
    lab.claim(abrupt.headline());
    let graceful = "stop gracefully";
    let text = "stopped gracefully, it ended early and lost no item that was accepted";
    let early = done(graceful).below(submitted(graceful));
    let claim = Claim::that("graceful_stop_loses_none", text).check(early);
    lab.claim(claim.check(noted::<Count>(graceful, LOST).equals(0)));
}
