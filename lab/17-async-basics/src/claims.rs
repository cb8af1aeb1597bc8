//! What the run is to show.

use crate::{
    args::{Args, HEARTBEAT_EVERY},
    blocked::{BLOCKED, MOVED},
    cancelled::{ABORT, KEEPING, LOSING},
    waits::{JOIN, LOOP, SPAWN, SPAWN_BLOCKING},
    work::{JOIN_CPU, SPAWN_CPU},
};
use common::{
    Lab,
    claim::{Claim, number, of, ratio, top},
    format,
};

/// Adds every claim; the figures of the run decide.
pub(crate) fn add(args: &Args, lab: &mut Lab) {
    add_laziness(lab);
    add_waits(args, lab);
    add_work(lab);
    add_blocked(args, lab);
    add_cancelled(args, lab);
}

fn add_laziness(lab: &mut Lab) {
    let begun = |when| top(format!("params.begun.{when}"));
    lab.claim(
        Claim::that("making futures began nothing; awaiting one began that one")
            .check(begun("when_made").equals(number(0)))
            .check(begun("when_one_awaited").equals(number(1))),
    );
    lab.claim(
        Claim::that("a spawned task began without being awaited")
            .check(begun("when_others_spawned").equals(begun("made"))),
    );
}

fn add_waits(args: &Args, lab: &mut Lab) {
    let alone = args.tasks.get() == 1;
    let short = "the waits were too short to overlap";
    let all = number(args.tasks.get() as f64);
    let at_once = |name| of(name, "results.peak_at_once");
    let threads = |name| of(name, "results.threads_used");
    lab.claim(
        Claim::that("the loop never waited for two answers at once, the others for all")
            .check(at_once(LOOP).equals(number(1)))
            .check(at_once(JOIN).equals(all.clone()))
            .check(at_once(SPAWN).equals(all.clone()))
            .check(at_once(SPAWN_BLOCKING).equals(all.clone()))
            .otherwise(short),
    );
    lab.claim(
        Claim::that("join and spawn needed one thread, spawn_blocking one for each call")
            .check(threads(JOIN).equals(number(1)))
            .check(threads(SPAWN).equals(number(1)))
            .check(threads(SPAWN_BLOCKING).equals(all))
            .otherwise("the calls were over so soon that one thread took several"),
    );
    let half = || of(LOOP, "wall_s").times(0.5);
    lab.claim(
        Claim::that("all at once took less than half the time of the loop, each of the three ways")
            .check(of(JOIN, "wall_s").below(half()))
            .check(of(SPAWN, "wall_s").below(half()))
            .check(of(SPAWN_BLOCKING, "wall_s").below(half()))
            .otherwise(if alone {
                "one wait has nothing to overlap with"
            } else {
                short
            }),
    );
}

fn add_work(lab: &mut Lab) {
    lab.claim(
        Claim::that("joined, the CPU work stayed on one thread")
            .check(of(JOIN_CPU, "results.threads_used").equals(number(1))),
    );
    lab.claim(
        Claim::that(
            "spawned, the CPU jobs overlapped: less than three quarters of the joined time",
        )
        // A wall time alone may be the chance of a machine that changes speed.
        .check(ratio(of(SPAWN_CPU, "busy_s"), of(SPAWN_CPU, "wall_s")).above(number(1.2)))
        .check(of(SPAWN_CPU, "walls_s").below(of(JOIN_CPU, "walls_s").times(0.75)))
        .needs_cpus(),
    );
}

fn add_blocked(args: &Args, lab: &mut Lab) {
    let during = |name| of(name, "results.ticks_during_the_call");
    let worst = |name| of(name, "results.worst_late_s");
    lab.claim(
        Claim::that(
            "while the call blocked the thread the light task did not tick, and then was late by \
             at least half of the call",
        )
        .check(during(BLOCKED).equals(number(0)))
        .check(worst(BLOCKED).at_least(top("params.block").times(0.5))),
    );
    let plan = args.ticking();
    let mut moved = Claim::that(
        "moved to another thread, the call let it tick, less than half as late at worst",
    )
    .check(during(MOVED).above(number(0)))
    .check(worst(MOVED).below(worst(BLOCKED).times(0.5)));
    if plan.call < 5 * plan.tick {
        let tick = format::seconds(plan.tick);
        moved = moved.otherwise(format!("the call is short beside a tick of {tick}"));
    }
    lab.claim(moved);
}

fn add_cancelled(args: &Args, lab: &mut Lab) {
    let lost = |name| of(name, "results.lost_bytes");
    let right = |name| of(name, "results.right");
    let losing = Claim::that("dropped reads took bytes with them, and messages came out wrong")
        .check(lost(LOSING).above(number(0)))
        .check(right(LOSING).below(of(LOSING, "results.sent")));
    let keeping = Claim::that("with the bytes kept outside the future, dropped reads lost none")
        .check(of(KEEPING, "results.dropped_reads").above(number(0)))
        .check(lost(KEEPING).equals(number(0)))
        .check(right(KEEPING).equals(of(KEEPING, "results.sent")));
    let too_few = 2 * args.messages().messages < HEARTBEAT_EVERY;
    for claim in [losing, keeping] {
        lab.claim(if too_few {
            claim.otherwise("no heartbeat came before the end")
        } else {
            claim
        });
    }
    lab.claim(
        Claim::that(
            "aborted tasks stopped where they waited, aborted blocking calls ran to their end",
        )
        .check(of(ABORT, "results.tasks_ended").equals(number(0)))
        .check(of(ABORT, "results.calls_ended").equals(of(ABORT, "results.calls"))),
    );
}
