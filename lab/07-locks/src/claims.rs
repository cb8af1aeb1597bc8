//! What the counts and their times are to show.

use crate::REPAIRED;
use common::{
    Experiment,
    experiment::claim::{Claim, number, of},
};
use lab_07_locks::Plan;

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Experiment, plan: Plan) {
    let walls = |variant| of(variant, "walls_s");
    let right = Claim::that("lock, atomic addition, sum at the end and queue: Expected equals Got");
    lab.claim(REPAIRED.into_iter().fold(right, |claim, name| {
        claim.check(of(name, "results.got").equals(of(name, "results.expected")))
    }));
    let lossy = Claim::that("without any of them updates were lost")
        .check(of("racy", "results.lost").above(number(0)));
    lab.claim(match plan.threads.get() {
        1 => lossy.otherwise("one worker has nobody to race with"),
        _ => lossy
            .needs_cpus()
            .otherwise("a race that came out right says nothing about the next"),
    });
    lab.claim(
        Claim::that("the wrong version was faster than the lock")
            .check(walls("racy").below(walls("Mutex"))),
    );
    lab.claim(
        Claim::that("a lock is right, not fast: not sharing took less, on one thread and on all")
            .check(walls("sequential").below(walls("Mutex")))
            .check(walls("sum at the end").below(walls("Mutex"))),
    );
    lab.claim(
        Claim::that("one atomic step was cheaper than a lock around three")
            .check(walls("fetch_add").below(walls("Mutex"))),
    );
    lab.claim(
        Claim::that("not sharing was cheaper than sharing in one atomic step, too")
            .check(walls("sum at the end").below(walls("fetch_add"))),
    );
}
