//! What the runs are to show, and the figures that decide.

use crate::flags::Args;
use common::{
    Lab,
    claim::{
        Claim, Count, Figure, Seconds, a_tick, cancelled, count, done, failed, none_failed,
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
    lab.count(name, DIFFERENT, different.len());
    lab.count(name, LATE, late);
    lab.count(name, ENDED, handled.len() - panics);
    lab.count(name, QUEUED, queued);
    lab.count(name, AT_WORK, recording.most_open("handle"));
    let by_producer = recording.waited("queue full");
    let by_consumer = recording.waited("queue empty") / handled.len() as u32;
    lab.duration(name, BY_PRODUCER, by_producer);
    lab.duration(name, BY_CONSUMER, by_consumer);
    let waited = [by_producer, by_consumer].map(format::seconds);
    [vec![name.into(), queued.to_string()], waited.into()].concat()
}

/// Shows who waited for whom, a row for each variant, and adds the claims.
pub(crate) fn show(lab: &mut Lab, args: &Args, rows: Vec<Vec<String>>) {
    let (consumers, capacity) = (args.consumers.get(), args.capacity.get());
    let number = |name: &str, figure| Figure::<Count>::noted(Some(name), figure);
    let waited = |name: &str, figure| Figure::<Seconds>::noted(Some(name), figure);
    let text = "without a panic every item was handled exactly once";
    let mut once = Claim::that("each_item_once", text).headline();
    let text = format!("the queue was never seen with more than {capacity} in it");
    let mut bounded = Claim::that("queue_is_bounded", text);
    let text = "a single consumer handled the items in the order in which they were made";
    let mut in_order = Claim::that("in_order", text);
    let names = rows.iter().map(|row| &*row[0]);
    for name in names.filter(|name| *name != "panic") {
        once = once
            .check(number(name, DIFFERENT).equals(submitted(name)))
            .check(done(name).equals(submitted(name)));
        bounded = bounded.check(number(name, QUEUED).at_most(count(capacity)));
        if name.ends_with("× 1") {
            in_order = in_order.check(number(name, LATE).equals(count(0)));
        }
    }
    for claim in [once, bounded, in_order] {
        lab.claim(claim);
    }
    let eager = "eager × 1";
    let text = "backpressure: the queue was full, its eager producer waited for room";
    let line = "backpressure: the queue was full, its eager producer waited {left2}";
    let backpressure = Claim::that("backpressure", text)
        .in_a_line(line)
        .check(number(eager, QUEUED).equals(count(capacity)))
        .check(waited(eager, BY_PRODUCER).at_least(waited(eager, BY_CONSUMER) * 2.0))
        .check(waited(eager, BY_PRODUCER).at_least(a_tick()))
        .headline();
    lab.claim(match args.items.get() > capacity {
        true => backpressure,
        false => backpressure.otherwise(format!("the queue has room for all {} items", args.items)),
    });
    if consumers > 1 {
        let [sentinels, closing, eager] =
            ["sentinels", "closing", "eager"].map(|way| format!("{way} × {consumers}"));
        let text = format!("{consumers} sentinels, or one close, ended {consumers} consumers");
        let ended = Claim::that("all_consumers_ended", text).headline();
        let both = [&sentinels, &closing].into_iter();
        lab.claim(both.fold(ended, |claim, name| {
            let ended = number(name, ENDED).equals(count(consumers));
            claim.check(ended).check(none_failed(name))
        }));
        let text = "a producer that pauses: a consumer waited over twice as long as it did";
        let claim = Claim::that("consumers_wait", text)
            .check(waited(&closing, BY_CONSUMER).above(waited(&closing, BY_PRODUCER) * 2.0));
        lab.claim(claim.check(waited(&closing, BY_CONSUMER).at_least(a_tick())));
        let text = "several consumers were handling items at the same time";
        let at_work = number(&eager, AT_WORK).above(count(1));
        lab.claim(Claim::that("consumers_side_by_side", text).check(at_work));
    }
    // The rest depends on whether there are other consumers.
    let items = args.items.get() * consumers;
    let (text, handled) = match consumers {
        1 => (
            "the only consumer panicked: all later items were cancelled",
            items.div_ceil(2) - 1,
        ),
        _ => (
            "one consumer panicked: its item is lost, the others did the rest",
            items - 1,
        ),
    };
    let panic = Claim::that("panic_accounted_for", text)
        .check(failed("panic").equals(count(1)))
        .check(number("panic", DIFFERENT).equals(count(handled)))
        .check(cancelled("panic").equals(count(items - 1 - handled)));
    lab.claim(panic.headline());
    let headings = ["", "most queued", "producer waited", "consumer waited"];
    lab.table("Who waited for whom", &headings, rows, "");
}
