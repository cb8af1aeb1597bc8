//! What this step claims.

use super::{SEQUENTIAL, flags::Args, pool_of};
use common::{
    Experiment,
    experiment::claim::{Claim, number, of},
};
use std::num::NonZeroUsize;

/// Adds the claims of a run with `count` requests.
pub(crate) fn add(args: &Args, lab: &mut Experiment, count: usize) {
    for workers in args.half().into_iter().chain([args.workers]) {
        add_limit(lab, workers, count);
    }
    let name = pool_of(args.workers);
    lab.claim(
        Claim::that("each request has a page of its own, though URLs may be equal")
            .check(of(&name, "results.pages").equals(of(&name, "ledger.submitted"))),
    );
    add_overlap(lab, args.workers, count);
    let waits_are_known = args.requests.url.is_empty() && !args.requests.delay.is_zero();
    match (waits_are_known, args.spread) {
        (true, true) => add_spread(args, lab, count),
        (true, false) => add_waves(lab, args.workers, count),
        (false, _) => {}
    }
}

fn add_limit(lab: &mut Experiment, workers: NonZeroUsize, count: usize) {
    let (name, at_once) = (pool_of(workers), workers.get().min(count));
    lab.claim(
        Claim::that(format!(
            "{name}: the most requests in flight at once, by the server's own count: {at_once}"
        ))
        .check(of(&name, "ledger.peak_in_flight").equals(number(at_once as f64))),
    );
}

fn add_overlap(lab: &mut Experiment, workers: NonZeroUsize, count: usize) {
    let name = pool_of(workers);
    let mut claim = Claim::that("the pool took less than ¾ of the time of one after another")
        .check(of(&name, "wall_s").below(of(SEQUENTIAL, "wall_s").times(0.75)));
    if workers.get().min(count) == 1 {
        claim = claim.otherwise(format!(
            "nothing could overlap: requests {count}, threads in the pool {workers}"
        ));
    }
    lab.claim(claim);
}

/// Equal waits: the pool's size decides how many follow each other.
fn add_waves(lab: &mut Experiment, workers: NonZeroUsize, count: usize) {
    let (name, waves) = (pool_of(workers), count.div_ceil(workers.get()));
    let one_more = (waves + 1) as f64 / waves as f64;
    lab.claim(
        Claim::that(format!(
            "requests {count}, threads in the pool {workers}: the pool took the time of {waves}, \
             not of {}, waits in a row",
            waves + 1
        ))
        .check(of(&name, "wall_s").at_least(of(&name, "bound_s")))
        .check(of(&name, "wall_s").below(of(&name, "bound_s").times(one_more))),
    );
}

/// Unequal waits: who is ready first, and how few threads would do.
fn add_spread(args: &Args, lab: &mut Experiment, count: usize) {
    let name = pool_of(args.workers);
    let mut order = Claim::that("results came in another order than that of asking")
        .check(of(&name, "results.overtaking").above(number(0)));
    if args.workers.get().min(count) == 1 {
        order = order.otherwise("one at a time, requests complete in the order of asking");
    }
    lab.claim(order);
    if let Some(half) = args.half().map(pool_of) {
        lab.claim(
            Claim::that(
                "with unequal waits, the longest first, half the threads took less than 1.5 × the \
                 time of all",
            )
            .check(of(half, "wall_s").below(of(name, "wall_s").times(1.5))),
        );
    }
}
