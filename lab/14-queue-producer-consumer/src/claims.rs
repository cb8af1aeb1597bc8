//! What the runs are to show, and the figures that decide.

use crate::flags::Args;
use common::{
    Lab,
    claim::{
        A_TICK, Claim, Count, Figure, Seconds, Unit, cancelled, done, failed, none_failed,
        submitted,
    },
    format,
};
use lab_14_queue_producer_consumer::Consumed;
use std::collections::BTreeSet;
use timeline::Level;

// What is noted of each variant.
const DIFFERENT: &str = "different_items_handled";
const LATE: &str = "items_handled_after_a_later_one";
const ENDED: &str = "consumers_that_reached_the_end";
const QUEUED: &str = "most_items_queued";
const AT_WORK: &str = "most_consumers_at_work";
const BY_PRODUCER: &str = "producer_waited";
const BY_CONSUMER: &str = "each_consumer_waited_on_average";

/// Notes what the variant's latest run showed; returns its row in the table.
pub(crate) fn note(lab: &mut Lab, name: &str, (handled, panics): &Consumed) -> Vec<String> {
    let different: BTreeSet<&u64> = handled.iter().flatten().collect();
    let pairs = handled.iter().flat_map(|items| items.windows(2));
    let late = pairs.filter(|pair| pair[0] > pair[1]).count();
    let recording = lab.recording(name);
    let queued = recording.level("items queued").map_or(0.0, Level::peak) as usize;
    lab.note(name, DIFFERENT, different.len());
    lab.note(name, LATE, late);
    lab.note(name, ENDED, handled.len() - panics);
    lab.note(name, QUEUED, queued);
    lab.note(name, AT_WORK, recording.most_open("handle"));
    let by_producer = recording.waited("queue full");
    let by_consumer = recording.waited("queue empty") / handled.len() as u32;
    lab.note(name, BY_PRODUCER, by_producer);
    lab.note(name, BY_CONSUMER, by_consumer);
    let waited = [by_producer, by_consumer].map(format::seconds);
    [vec![name.into(), queued.to_string()], waited.into()].concat()
}

fn noted<U: Unit>(name: &str, figure: &str) -> Figure<U> {
    Figure::noted(Some(name), figure)
}

/// Shows who waited for whom, a row for each variant, and adds the claims.
pub(crate) fn show(lab: &mut Lab, args: &Args, rows: Vec<Vec<String>>) {
    claim_items(lab, args.capacity.get(), &rows);
    claim_backpressure(lab, args);
    if args.consumers.get() > 1 {
        claim_consumers(lab, args.consumers.get());
    }
    claim_panic(lab, args);
    let headings = ["", "most queued", "producer waited", "consumer waited"];
    lab.table("Who waited for whom", &headings, rows, "");
}

/// Every item once, in order, through a queue that keeps its bound.
fn claim_items(lab: &mut Lab, capacity: usize, rows: &[Vec<String>]) {
    let text = "without a panic every item was handled exactly once";
    let mut once = Claim::that("each_item_once", text).headline();
    let text = format!("the queue was never seen with more than {capacity} in it");
    let mut bounded = Claim::that("queue_is_bounded", text);
    let text = "a single consumer handled the items in the order in which they were made";
    let mut in_order = Claim::that("in_order", text);
    let names = rows.iter().map(|row| &*row[0]);
    for name in names.filter(|name| *name != "panic") {
        once = once
            .check(noted(name, DIFFERENT).equals(submitted(name)))
            .check(done(name).equals(submitted(name)));
        bounded = bounded.check(noted(name, QUEUED).at_most(capacity));
        if name.ends_with("× 1") {
            in_order = in_order.check(noted::<Count>(name, LATE).equals(0));
        }
    }
    for claim in [once, bounded, in_order] {
        lab.claim(claim);
    }
}

fn claim_backpressure(lab: &mut Lab, args: &Args) {
    let (eager, capacity) = ("eager × 1", args.capacity.get());
    let waited = |figure| noted::<Seconds>(eager, figure);
    let text = "backpressure: the queue was full, its eager producer waited for room";
    let line = "backpressure: the queue was full, its eager producer waited {left2}";
    let backpressure = Claim::that("backpressure", text)
        .in_a_line(line)
        .check(noted(eager, QUEUED).equals(capacity))
        .check(waited(BY_PRODUCER).at_least(waited(BY_CONSUMER) * 2.0))
        .check(waited(BY_PRODUCER).at_least(A_TICK))
        .headline();
    let roomy = format!("the queue has room for all {} items", args.items);
    lab.claim(backpressure.otherwise((args.items.get() <= capacity).then_some(roomy)));
}

/// What several consumers show.
fn claim_consumers(lab: &mut Lab, consumers: usize) {
    let [sentinels, closing, eager] =
        ["sentinels", "closing", "eager"].map(|way| format!("{way} × {consumers}"));
    let text = format!("{consumers} sentinels, or one close, ended {consumers} consumers");
    let ended = Claim::that("all_consumers_ended", text).headline();
    let both = [&sentinels, &closing].into_iter();
    lab.claim(both.fold(ended, |claim, name| {
        let ended = noted(name, ENDED).equals(consumers);
        claim.check(ended).check(none_failed(name))
    }));
    let text = "a producer that pauses: a consumer waited over twice as long as it did";
    let waited = |figure| noted::<Seconds>(&closing, figure);
    let claim = Claim::that("consumers_wait", text)
        .check(waited(BY_CONSUMER).above(waited(BY_PRODUCER) * 2.0));
    lab.claim(claim.check(waited(BY_CONSUMER).at_least(A_TICK)));
    let text = "several consumers were handling items at the same time";
    let at_work = noted::<Count>(&eager, AT_WORK).above(1);
    lab.claim(Claim::that("consumers_side_by_side", text).check(at_work));
}

/// What a panic does to the items depends on whether there are other consumers.
fn claim_panic(lab: &mut Lab, args: &Args) {
    let consumers = args.consumers.get();
    let items = args.items.get() * consumers;
    let alone = "the only consumer panicked: all later items were cancelled";
    let beside = "one consumer panicked: its item is lost, the others did the rest";
    let (text, handled) = match consumers {
        1 => (alone, items.div_ceil(2) - 1),
        _ => (beside, items - 1),
    };
    let panic = Claim::that("panic_accounted_for", text)
        .check(failed("panic").equals(1))
        .check(noted("panic", DIFFERENT).equals(handled))
        .check(cancelled("panic").equals(items - 1 - handled));
    lab.claim(panic.headline());
}
