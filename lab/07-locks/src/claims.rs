//! What the counts and their times are to show.

use crate::Counted;
use common::{
    Lab,
    claim::{Check, Claim, Figure, busy, count, seconds, wall},
};
use lab_07_locks::Plan;

pub(crate) fn claim(lab: &mut Lab, plan: Plan, racy: Counted, repaired: [Counted; 4]) {
    let expected = count(plan.expected() as usize);
    let right = Claim::that(
        "repairs_are_right",
        "lock, atomic addition, sum at the end and queue: Expected equals Got",
    );
    let check = |claim: Claim, (got, _)| claim.check(Figure::equals(got, expected.clone()));
    lab.claim(repaired.into_iter().fold(right, check).headline());
    let lossy = Claim::that("race_loses", "without any of them updates were lost")
        .check(racy.1.above(count(0)))
        .headline();
    lab.claim(match plan.threads.get() {
        1 => lossy.otherwise("one worker has no other to race with"),
        _ => lossy.needs_cpus(),
    });
    claim_costs(lab, plan);
}

/// Compares what counting costs; with little to count, the times are those of starting threads.
///
/// A tenth apart, so that equal times are not called different.
fn claim_costs(lab: &mut Lab, plan: Plan) {
    let enough = || {
        busy("sequential")
            .at_least(seconds(0.001 * plan.threads.get() as f64))
            .in_words("one thread needed {left} of CPU time to count it all")
    };
    let mut cost = |name, text, checks: Vec<Check>, headline: bool| {
        let claim = Claim::that(name, text).check(enough());
        let claim = checks.into_iter().fold(claim, Claim::check);
        lab.claim(if headline { claim.headline() } else { claim });
    };
    let cheaper = |one, other| wall(one).below(wall(other) * 0.9);
    cost(
        "race_is_cheaper",
        "load and store without a lock took less time than with it",
        vec![cheaper("racy", "Mutex")],
        false,
    );
    cost(
        "lock_has_a_price",
        "a lock has its price: counting apart took less, on one thread and on all",
        vec![
            cheaper("sequential", "Mutex"),
            cheaper("sum at the end", "Mutex"),
        ],
        true,
    );
    cost(
        "atomic_is_cheaper",
        "one atomic step was cheaper than a lock around three",
        vec![cheaper("fetch_add", "Mutex")],
        false,
    );
    cost(
        "apart_is_cheapest",
        "counting apart was cheaper than an atomic step each time, too",
        vec![cheaper("sum at the end", "fetch_add")],
        false,
    );
}
