//! What the runs are to show, and the figures that decide.

use crate::args::QueueArgs;
use common::{
    Lab,
    claim::{
        Claim, Count, Figure, Seconds, cancelled, count, done, failed, none_failed, submitted, wall,
    },
};
use lab_14_queue_producer_consumer::{Consumed, Plan};
use std::{collections::BTreeSet, time::Duration};

/// The figures of one variant.
pub(crate) struct Figures {
    name: String,
    consumers: usize,
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
        let (by_producer, by_consumers) = (
            waited(lab, name, "queue full"),
            waited(lab, name, "queue empty"),
        );
        let (queued, at_once) = (most_queued(lab, name), most_at_once(lab, name));
        Self {
            name: name.into(),
            consumers,
            different_items: lab.count(name, "different_items_handled", different.len()),
            late_items: lab.count(name, "items_handled_after_a_later_one", late),
            ended: lab.count(
                name,
                "consumers_that_reached_the_end",
                consumers - panicked.len(),
            ),
            most_queued: lab.count(name, "most_items_queued", queued),
            most_at_once: lab.count(name, "most_consumers_at_work", at_once),
            producer_waited: lab.duration(name, "producer_waited", by_producer),
            consumer_waited: lab.duration(
                name,
                "each_consumer_waited_on_average",
                by_consumers / consumers as u32,
            ),
        }
    }
}

/// How long threads waited for `cause`, all together.
pub(crate) fn waited(lab: &Lab, variant: &str, cause: &str) -> Duration {
    let lanes = lab.recording(variant).lanes;
    let spans = lanes.iter().flat_map(|lane| &lane.spans);
    let waits = spans.filter(|span| span.wait.as_deref() == Some(cause));
    waits
        .map(|span| span.duration().saturating_sub(span.busy))
        .sum()
}

/// The most items in the queue.
pub(crate) fn most_queued(lab: &Lab, variant: &str) -> usize {
    let levels = lab.recording(variant).levels;
    levels
        .iter()
        .map(|level| level.peak() as usize)
        .max()
        .unwrap_or(0)
}

/// The most consumers that handled an item at the same time.
fn most_at_once(lab: &Lab, variant: &str) -> usize {
    let lanes = lab.recording(variant).lanes;
    let spans = lanes.iter().flat_map(|lane| &lane.spans);
    let handled = || spans.clone().filter(|span| span.name == "handle");
    let at = |moment| {
        handled()
            .filter(|span| span.start <= moment && moment < span.end)
            .count()
    };
    handled().map(|span| at(span.start)).max().unwrap_or(0)
}

/// The variants, by what they share.
pub(crate) struct All {
    /// With one consumer: sentinel, closing, and the producer that never pauses.
    pub(crate) one: [Figures; 3],
    /// The same with several consumers.
    pub(crate) several: Option<[Figures; 3]>,
    pub(crate) panic: Figures,
}

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, args: &QueueArgs, all: &All) {
    let capacity = args.capacity.get();
    let whole = || all.one.iter().chain(all.several.iter().flatten());
    let once = Claim::that(
        "each_item_once",
        "where no consumer panicked, every item was handled exactly once",
    );
    lab.claim(whole().fold(once.headline(), |claim, variant| {
        let items = || submitted(&variant.name);
        claim
            .check(variant.different_items.clone().equals(items()))
            .check(done(&variant.name).equals(items()))
    }));
    let bounded = Claim::that(
        "queue_is_bounded",
        format!("the queue is bounded: it was never seen with more than {capacity} in it"),
    );
    lab.claim(whole().fold(bounded, |claim, variant| {
        claim.check(variant.most_queued.clone().at_most(count(capacity)))
    }));
    let [_, _, eager] = &all.one;
    let backpressure = Claim::that(
        "backpressure",
        "backpressure: the queue ran full, and a producer that never pauses waited at least twice \
         as long as its consumer",
    )
    .check(eager.most_queued.clone().equals(count(capacity)))
    .check(
        eager
            .producer_waited
            .clone()
            .at_least(eager.consumer_waited.clone() * 2.0),
    )
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
    lab.claim(all.one.iter().fold(in_order, |claim, variant| {
        claim.check(variant.late_items.clone().equals(count(0)))
    }));
    if let Some(several) = &all.several {
        add_several(lab, several, eager);
    }
    add_panic(lab, args, &all.panic);
}

fn add_several(lab: &mut Lab, [sentinels, closing, eager]: &[Figures; 3], alone: &Figures) {
    let consumers = eager.consumers;
    let ended = Claim::that(
        "all_consumers_ended",
        "with a sentinel for each, or one close for all, every consumer reached the end",
    );
    lab.claim(
        [sentinels, closing]
            .into_iter()
            .fold(ended, |claim, variant| {
                claim
                    .check(variant.ended.clone().equals(count(consumers)))
                    .check(none_failed(&variant.name))
            })
            .headline(),
    );
    lab.claim(
        Claim::that(
            "consumers_wait",
            "one producer that pauses cannot keep them busy: a consumer waited, on average, more \
             than twice as long as the producer",
        )
        .check(
            closing
                .consumer_waited
                .clone()
                .above(closing.producer_waited.clone() * 2.0),
        ),
    );
    lab.claim(
        Claim::that(
            "consumers_side_by_side",
            format!(
                "consumers work side by side: {consumers} times the items in less than twice the \
                 time of a single one"
            ),
        )
        .check(wall(&eager.name).below(wall(&alone.name) * 2.0))
        .check(eager.most_at_once.clone().above(count(1))),
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
    let name = &panic.name;
    lab.claim(
        Claim::that("panic_accounted_for", text)
            .check(failed(name).equals(count(1)))
            .check(panic.different_items.clone().equals(count(handled)))
            .check(done(name).equals(count(handled)))
            .check(cancelled(name).equals(count(lost)))
            .headline(),
    );
}
