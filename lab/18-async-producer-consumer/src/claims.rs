//! What the run is to show.

use crate::{
    AT_ONCE, BOUNDED, GRACEFUL, HOG, ONE_PANICS, POLITE, SOLE_PANICS, UNBOUNDED, args::Args,
    flow::Flow,
};
use common::{
    Lab,
    claim::{Claim, Figure, number, of},
};

/// The flows whose figures give the reasons of claims that do not show.
pub(crate) struct Flows {
    pub(crate) unbounded: Flow,
    pub(crate) bounded: Flow,
    pub(crate) at_once: Flow,
    pub(crate) graceful: Flow,
    pub(crate) sole_panics: Flow,
}

/// Adds every claim; the figures of the run decide.
pub(crate) fn add(args: &Args, lab: &mut Lab, flows: &Flows) {
    add_backpressure(args, lab, flows);
    add_cooperation(args, lab);
    add_shutdown(lab, flows);
    add_panics(lab, flows);
}

fn result(variant: &str, name: &str) -> Figure {
    of(variant, format!("results.{name}"))
}

fn add_backpressure(args: &Args, lab: &mut Lab, flows: &Flows) {
    let queue = || number(args.queue.get() as f64);
    let unbounded = Claim::that(
        "the unbounded queue never held the producer back, and grew past the bound of the other",
    )
    .check(result(UNBOUNDED, "found_full").equals(number(0)))
    .check(result(UNBOUNDED, "peak_depth").above(queue()));
    lab.claim(match flows.unbounded.peak_depth {
        peak if peak <= args.queue.get() => {
            unbounded.otherwise(format!("the most that waited in it at once: {peak}"))
        }
        _ => unbounded,
    });
    lab.claim(
        Claim::that("the bounded queue never held more than its bound")
            .check(result(BOUNDED, "peak_depth").at_most(queue())),
    );
    let waited = Claim::that("the producer found it full and waited until there was room")
        .check(result(BOUNDED, "found_full").above(number(0)))
        .check(result(BOUNDED, "blocked_s").above(number(0)));
    lab.claim(match flows.bounded.found_full {
        0 => waited.otherwise("the consumers kept up with the producer"),
        _ => waited,
    });
    let once = Claim::that("through either queue every item was consumed exactly once");
    lab.claim([UNBOUNDED, BOUNDED].into_iter().fold(once, |claim, name| {
        claim
            .check(result(name, "consumed").equals(of(name, "ledger.submitted")))
            .check(result(name, "each_once").equals(number(1)))
    }));
}

fn add_cooperation(args: &Args, lab: &mut Lab) {
    let meanwhile = |name| result(name, "finished_meanwhile");
    lab.claim(
        Claim::that("while a task computed without yielding, nobody else finished an item")
            .check(meanwhile(HOG).equals(number(0))),
    );
    lab.claim(
        Claim::that("while it computed the same and yielded now and then, others finished items")
            .check(meanwhile(POLITE).above(number(0)))
            .otherwise(if args.work().after == args.items.get() {
                "no item was left when the work began"
            } else {
                "the work was over before another item was finished"
            }),
    );
    lab.claim(
        Claim::that("the longest gap between two finished items was longer without yielding")
            .check(result(HOG, "longest_gap_s").above(result(POLITE, "longest_gap_s"))),
    );
}

fn add_shutdown(lab: &mut Lab, flows: &Flows) {
    let lost = Claim::that("stopped at once, the run lost items that the queue had accepted")
        .check(result(AT_ONCE, "lost").above(number(0)));
    lab.claim(match flows.at_once.lost {
        0 => lost.otherwise("every item accepted was finished when the stop came"),
        _ => lost,
    });
    let graceful = Claim::that(
        "stopped gracefully, it ended before the last item and lost none that was accepted",
    )
    .check(result(GRACEFUL, "accepted").below(result(GRACEFUL, "offered")))
    .check(result(GRACEFUL, "consumed").equals(result(GRACEFUL, "accepted")))
    .check(result(GRACEFUL, "lost").equals(number(0)));
    lab.claim(match flows.graceful.not_accepted {
        0 => graceful.otherwise("all items had been accepted when the stop came"),
        _ => graceful,
    });
}

fn add_panics(lab: &mut Lab, flows: &Flows) {
    lab.claim(
        Claim::that(
            "when one consumer panicked, the others consumed all but the item in its hands",
        )
        .check(result(ONE_PANICS, "panicked").equals(number(1)))
        .check(result(ONE_PANICS, "left_in_hand").equals(number(1)))
        .check(result(ONE_PANICS, "left_in_queue").equals(number(0)))
        .check(result(ONE_PANICS, "not_accepted").equals(number(0))),
    );
    let told =
        Claim::that("when the only consumer panicked, the producer was told and the run ended")
            .check(result(SOLE_PANICS, "panicked").equals(number(1)))
            .check(result(SOLE_PANICS, "not_accepted").above(number(0)));
    lab.claim(match flows.sole_panics.not_accepted {
        0 => told.otherwise("all items had been accepted by then; the run ended all the same"),
        _ => told,
    });
}
