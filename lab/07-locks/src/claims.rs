//! What the counts and their times are to show.

use crate::REPAIRED;
use common::{
    Lab,
    claim::{Claim, number, of},
    format,
};
use lab_07_locks::Plan;
use std::time::Duration;

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, plan: Plan) {
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
    add_costs(lab, plan);
}

/// Work per worker that makes the starting of its thread small beside it.
const ENOUGH_S: f64 = 0.001;

/// Compares what counting costs, where there is enough of it.
fn add_costs(lab: &mut Lab, plan: Plan) {
    let walls = |variant| of(variant, "walls_s");
    let enough_s = ENOUGH_S * plan.threads.get() as f64;
    let alone: f64 = lab
        .job_times("sequential")
        .iter()
        .map(Duration::as_secs_f64)
        .sum();
    let about_costs = |claim: Claim| {
        let claim = claim.check(of("sequential", "busy_s").at_least(number(enough_s)));
        match alone < enough_s {
            true => claim.otherwise(format!(
                "one thread counted it all in {}: the times are those of starting threads; a \
                 larger --increments makes them those of counting",
                format::seconds_f64(alone)
            )),
            false => claim,
        }
    };
    lab.claim(about_costs(
        Claim::that("load and store without a lock took less time than with it")
            .check(walls("racy").below(walls("Mutex"))),
    ));
    lab.claim(about_costs(
        Claim::that(
            "a lock has its price: counters of one's own took less, on one thread and on all",
        )
        .check(walls("sequential").below(walls("Mutex")))
        .check(walls("sum at the end").below(walls("Mutex"))),
    ));
    lab.claim(about_costs(
        Claim::that("one atomic step was cheaper than a lock around three")
            .check(walls("fetch_add").below(walls("Mutex"))),
    ));
    lab.claim(about_costs(
        Claim::that("counters of one's own were cheaper than an atomic step each time, too")
            .check(walls("sum at the end").below(walls("fetch_add"))),
    ));
}
