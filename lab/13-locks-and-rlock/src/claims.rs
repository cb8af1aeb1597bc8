//! What the runs are to show.

use crate::{
    args::LockArgs,
    cost::{Costs, MARGIN, TURNS, key},
    deadlocks::{OPPOSITE_ORDER, SAME_ORDER, SELF_DEADLOCK},
    stories::{POISONED, READ_MUTEX, READ_RWLOCK, REENTRANT, SPLIT, UNAWARE},
};
use common::{
    Lab,
    claim::{Claim, Figure, number, of, top},
};
use std::num::NonZeroUsize;

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, args: &LockArgs, most: NonZeroUsize, costs: &Costs) {
    lab.claim(
        Claim::that("in every round, under every lock and without one, each increment was counted")
            .check(top("params.lost").equals(number(0))),
    );
    of_the_costs(lab, most, costs);
    lab.claim(
        Claim::that("long reads: one at a time under the Mutex, side by side under the RwLock")
            .check(of(READ_MUTEX, "results.peak_inside").equals(number(1)))
            .check(of(READ_RWLOCK, "results.peak_inside").above(number(1)))
            .otherwise("the readers did not run when the others were inside"),
    );
    let nested = Claim::that(
        "reentrant or split, a method may call another: no deposit lost, no batch torn",
    );
    lab.claim([REENTRANT, SPLIT].into_iter().fold(nested, |claim, name| {
        let deposits = of(name, "results.deposits");
        claim
            .check(of(name, "results.torn").equals(number(0)))
            .check(deposits.equals(of(name, "results.expected")))
    }));
    if args.no_watchdog {
        silence(lab);
    } else {
        deadlocks(lab);
    }
    let threads = |name: &str| of(SAME_ORDER, format!("results.{name}"));
    lab.claim(
        Claim::that("one order for all: both threads finished")
            .check(threads("finished").equals(threads("threads"))),
    );
    let found = |name: &str| of(name, "results.total_found");
    let before = |name: &str| of(name, "results.total_before");
    lab.claim(
        Claim::that("after the panic `Mutex` told the next thread, which repaired the total")
            .check(of(POISONED, "results.told").equals(number(1)))
            .check(found(POISONED).below(before(POISONED)))
            .check(of(POISONED, "results.total_after").equals(before(POISONED)))
            .check(of(POISONED, "results.still_poisoned").equals(number(0))),
    );
    lab.claim(
        Claim::that("a lock without poison told nobody, and half of the change stayed")
            .check(of(UNAWARE, "results.told").equals(number(0)))
            .check(of(UNAWARE, "results.total_after").below(before(UNAWARE))),
    );
}

fn of_the_costs(lab: &mut Lab, most: NonZeroUsize, costs: &Costs) {
    let cost = |name: &str, threads| -> Figure {
        top(format!("params.cost.{}", key(name, threads, "_s")))
    };
    let one = NonZeroUsize::MIN;
    lab.claim(
        Claim::that("a lock costs before anybody waits for it: more than no lock, on one thread")
            .check(cost("Mutex", one).above(cost("not shared", one))),
    );
    lab.claim(
        Claim::that("reentrancy is cheap: alone, less than twice the same library's plain lock")
            .check(cost("ReentrantMutex", one).below(cost("parking_lot", one).times(2.0))),
    );
    if most == one {
        return;
    }
    lab.claim(
        Claim::that(format!(
            "contention costs: with more than one CPU busy, an increment under the Mutex took more \
             than {MARGIN} times as long on {most} threads as on one"
        ))
        .check(cost("Mutex", most).above(cost("Mutex", one).times(MARGIN)))
        .check(top(format!("params.cpus_busy.{}", key("Mutex", most, ""))).above(number(TURNS)))
        .otherwise(costs.why_level("Mutex"))
        .needs_cpus(),
    );
    lab.claim(
        Claim::that(format!(
            "on {most} threads one atomic step was cheaper than a Mutex, and not sharing than both"
        ))
        .check(cost("fetch_add", most).below(cost("Mutex", most)))
        .check(cost("not shared", most).below(cost("fetch_add", most))),
    );
}

fn deadlocks(lab: &mut Lab) {
    let figure = |name: &str, figure: &str| of(name, format!("results.{figure}"));
    lab.claim(
        Claim::that("a plain lock taken twice over: one thread waits for itself, and is named")
            .check(figure(SELF_DEADLOCK, "cycle_threads").equals(number(1)))
            .check(figure(SELF_DEADLOCK, "cycle_locks").equals(number(1)))
            .check(figure(SELF_DEADLOCK, "finished").equals(number(0))),
    );
    lab.claim(
        Claim::that("opposite orders: two threads hold what the other waits for, and are named")
            .check(figure(OPPOSITE_ORDER, "cycle_threads").equals(number(2)))
            .check(figure(OPPOSITE_ORDER, "cycle_locks").equals(number(2)))
            .check(figure(OPPOSITE_ORDER, "finished").equals(number(0))),
    );
}

/// Without a watchdog only threads that finish can say so.
fn silence(lab: &mut Lab) {
    let silent = Claim::that(
        "without a watchdog a deadlock says nothing for as long as the parent is patient",
    );
    let both = [SELF_DEADLOCK, OPPOSITE_ORDER];
    lab.claim(both.into_iter().fold(silent, |claim, name| {
        claim
            .check(of(name, "results.heard").equals(number(0)))
            .check(of(name, "wall_s").at_least(top("params.patience_s")))
    }));
}
