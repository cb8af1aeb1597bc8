//! What the runs are to show.

use crate::args::QueueArgs;
use common::{
    Lab,
    claim::{Claim, Figure, number, of},
};

fn figure(variant: &str, name: &str) -> Figure {
    of(variant, format!("results.{name}"))
}

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, args: &QueueArgs) {
    let (consumers, capacity) = (args.consumers.get(), args.capacity);
    let [sentinels, closing, eager] =
        ["sentinels", "closing", "eager"].map(|name| format!("{name} × {consumers}"));
    let mut whole = vec!["sentinel × 1", "closing × 1", "eager × 1"];
    if consumers > 1 {
        whole.extend([&*sentinels, &*closing, &*eager]);
    }
    let once = Claim::that("without a panic every item was taken exactly once, and handled");
    lab.claim(whole.iter().fold(once, |claim, name| {
        claim
            .check(figure(name, "missing").equals(number(0)))
            .check(figure(name, "twice").equals(number(0)))
            .check(figure(name, "done").equals(figure(name, "items")))
    }));
    let bounded = Claim::that(format!(
        "the queue is bounded: never more than {capacity} in it, however fast the producer"
    ));
    lab.claim(
        bounded.check(figure("eager × 1", "peak_depth").at_most(figure("eager × 1", "capacity"))),
    );
    let backpressure = Claim::that(
        "backpressure: the queue ran full, and the eager producer waited longer than its consumer",
    )
    .check(figure("eager × 1", "peak_depth").equals(figure("eager × 1", "capacity")))
    .check(
        figure("eager × 1", "producer_blocked_s").above(figure("eager × 1", "consumers_blocked_s")),
    );
    lab.claim(if args.items > capacity {
        backpressure
    } else {
        backpressure.otherwise(format!("the queue has room for all {} items", args.items))
    });
    lab.claim(
        Claim::that("in order: one consumer took the items as they were made")
            .check(figure("sentinel × 1", "out_of_order").equals(number(0)))
            .check(figure("closing × 1", "out_of_order").equals(number(0)))
            .check(figure("eager × 1", "out_of_order").equals(number(0))),
    );
    if consumers > 1 {
        several(lab, consumers, [&sentinels, &closing, &eager]);
    }
    panicking(lab, consumers);
}

fn several(lab: &mut Lab, consumers: usize, [sentinels, closing, eager]: [&str; 3]) {
    lab.claim(
        Claim::that("a sentinel for each, or one close for all: every consumer came to its end")
            .check(figure(sentinels, "sentinels").equals(figure(sentinels, "consumers")))
            .check(figure(closing, "sentinels").equals(number(0)))
            .check(figure(sentinels, "done").equals(figure(sentinels, "items")))
            .check(figure(closing, "done").equals(figure(closing, "items"))),
    );
    lab.claim(
        Claim::that("one producer that pauses cannot keep them busy: they waited longer than it")
            .check(
                figure(closing, "consumers_blocked_s").above(figure(closing, "producer_blocked_s")),
            ),
    );
    lab.claim(
        Claim::that(format!(
            "consumers work side by side: {consumers} times the items in less than twice the time"
        ))
        .check(of(eager, "wall_s").below(of("eager × 1", "wall_s").times(2.0))),
    );
}

fn panicking(lab: &mut Lab, consumers: usize) {
    let accounted = Claim::that(if consumers > 1 {
        "a consumer panicked: the run ended, its item is told as failed, the others did the rest"
    } else {
        "the only consumer panicked: the run ended, its item is told as failed, the rest called off"
    });
    let accounted = accounted
        .check(figure("panic", "failed").equals(number(1)))
        .check(figure("panic", "accounted").equals(figure("panic", "items")));
    lab.claim(if consumers > 1 {
        accounted.check(figure("panic", "cancelled").equals(number(0)))
    } else {
        accounted
    });
}
