//! What the runs are to show, and the figures that decide.

use crate::args::QueueArgs;
use common::{
    Lab,
    claim::{
        Claim, Count, Figure, Seconds, a_tick, cancelled, count, done, failed, none_failed,
        submitted, wall,
    },
};
use lab_14_queue_producer_consumer::{Consumed, Plan};
use std::collections::{BTreeMap, BTreeSet};
use timeline::{Level, Recording};

/// The figures of one variant.
pub(crate) struct Figures {
    different_items: Figure<Count>,
    late_items: Figure<Count>,
    ended: Figure<Count>,
    most_queued: Figure<Count>,
    most_at_once: Figure<Count>,
    producer_waited: Figure<Seconds>,
    /// On average.
    consumer_waited: Figure<Seconds>,
}

impl Figures {
    /// Notes what the variant's latest run showed.
    pub(crate) fn note(lab: &mut Lab, name: &str, plan: &Plan, consumed: &Consumed) -> Self {
        let (handled, panicked) = consumed;
        let consumers = plan.consumers.get();
        let different: BTreeSet<&u64> = handled.iter().flatten().collect();
        let late = handled.iter().flat_map(|items| items.windows(2));
        let late = late.filter(|pair| pair[0] > pair[1]).count();
        let recording = lab.recording(name);
        let queued = most_queued(&recording);
        let at_once = recording.most_open("handle");
        let by_producer = recording.waited("queue full");
        let each = recording.waited("queue empty") / consumers as u32;
        let ended = consumers - panicked.len();
        let mut count = |figure, value| lab.count(name, figure, value);
        Self {
            different_items: count("different_items_handled", different.len()),
            late_items: count("items_handled_after_a_later_one", late),
            ended: count("consumers_that_reached_the_end", ended),
            most_queued: count("most_items_queued", queued),
            most_at_once: count("most_consumers_at_work", at_once),
            producer_waited: lab.duration(name, "producer_waited", by_producer),
            consumer_waited: lab.duration(name, "each_consumer_waited_on_average", each),
        }
    }
}

/// The most items in the queue.
pub(crate) fn most_queued(recording: &Recording) -> usize {
    let level = recording.level("items queued");
    level.map_or(0.0, Level::peak) as usize
}

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, args: &QueueArgs, all: &BTreeMap<String, Figures>) {
    let (consumers, capacity) = (args.consumers.get(), args.capacity.get());
    let whole = || all.iter().filter(|(name, _)| *name != "panic");
    let once = Claim::that(
        "each_item_once",
        "where no consumer panicked, every item was handled exactly once",
    );
    lab.claim(whole().fold(once.headline(), |claim, (name, variant)| {
        let different = variant.different_items.clone();
        claim
            .check(different.equals(submitted(name)))
            .check(done(name).equals(submitted(name)))
    }));
    let text = format!("the queue is bounded: it was never seen with more than {capacity} in it");
    let bounded = Claim::that("queue_is_bounded", text);
    lab.claim(whole().fold(bounded, |claim, (_, variant)| {
        claim.check(variant.most_queued.clone().at_most(count(capacity)))
    }));
    let eager = &all["eager × 1"];
    let backpressure = Claim::that(
        "backpressure",
        "backpressure: the queue ran full, and a producer that never pauses waited at least twice \
         as long as its consumer",
    )
    .check(eager.most_queued.clone().equals(count(capacity)))
    .check((eager.producer_waited.clone()).at_least(eager.consumer_waited.clone() * 2.0))
    .check(eager.producer_waited.clone().at_least(a_tick()))
    .headline();
    lab.claim(if args.items.get() > capacity {
        backpressure
    } else {
        backpressure.otherwise(format!("the queue has room for all {} items", args.items))
    });
    let in_order = Claim::that(
        "in_order",
        "a single consumer handled the items in the order in which they were made",
    );
    let single = ["sentinel × 1", "closing × 1", "eager × 1"];
    lab.claim(single.into_iter().fold(in_order, |claim, name| {
        claim.check(all[name].late_items.clone().equals(count(0)))
    }));
    if consumers > 1 {
        add_several(lab, consumers, all);
    }
    add_panic(lab, args, &all["panic"]);
}

fn add_several(lab: &mut Lab, consumers: usize, all: &BTreeMap<String, Figures>) {
    let name = |way: &str| format!("{way} × {consumers}");
    let ended = Claim::that(
        "all_consumers_ended",
        "with a sentinel for each, or one close for all, every consumer reached the end",
    );
    let ways = ["sentinels", "closing"].map(name);
    lab.claim(ways.iter().fold(ended.headline(), |claim, name| {
        claim
            .check(all[name].ended.clone().equals(count(consumers)))
            .check(none_failed(name))
    }));
    let closing = &all[&name("closing")];
    lab.claim(
        Claim::that(
            "consumers_wait",
            "one producer that pauses cannot keep them busy: a consumer waited, on average, more \
             than twice as long as the producer",
        )
        .check((closing.consumer_waited.clone()).above(closing.producer_waited.clone() * 2.0)),
    );
    let eager = name("eager");
    lab.claim(
        Claim::that(
            "consumers_side_by_side",
            format!(
                "consumers work side by side: {consumers} times the items in less than twice the \
                 time of a single one"
            ),
        )
        .check(wall(&eager).below(wall("eager × 1") * 2.0))
        .check(all[&eager].most_at_once.clone().above(count(1))),
    );
}

/// Item `bad_item` made its consumer panic, and the rest depends on whether there are others.
fn add_panic(lab: &mut Lab, args: &QueueArgs, panic: &Figures) {
    let consumers = args.consumers.get();
    let items = args.items.get() * consumers;
    let (text, handled, lost) = if consumers > 1 {
        let text = "a consumer panicked: its item failed, and the others handled all the rest";
        (text, items - 1, 0)
    } else {
        let handled = crate::bad_item(items as u64) as usize - 1;
        let text = "the only consumer panicked: its item failed, and the rest was cancelled";
        (text, handled, items - handled - 1)
    };
    let name = "panic";
    lab.claim(
        Claim::that("panic_accounted_for", text)
            .check(failed(name).equals(count(1)))
            .check(panic.different_items.clone().equals(count(handled)))
            .check(done(name).equals(count(handled)))
            .check(cancelled(name).equals(count(lost)))
            .headline(),
    );
}
