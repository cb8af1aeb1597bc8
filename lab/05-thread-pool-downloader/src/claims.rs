//! What this step claims.

use super::{SEQUENTIAL, flags::Args, pool_of};
use common::{
    Lab,
    claim::{Claim, number, of, ratio},
    format,
};
use std::num::NonZeroUsize;

/// Adds the claims of a run with `count` requests.
pub(crate) fn add(args: &Args, lab: &mut Lab, count: usize) {
    for workers in args.half().into_iter().chain([args.workers]) {
        add_limit(lab, workers, count);
    }
    let name = pool_of(args.workers);
    lab.claim(
        Claim::that("each request has a result of its own, though URLs may be equal")
            .check(of(&name, "results.pages").equals(of(&name, "ledger.submitted"))),
    );
    add_overlap(lab, args.workers, count);
    let waits_are_known = args.requests.url.is_empty() && !args.requests.delay.is_zero();
    match (waits_are_known, args.spread) {
        (true, true) => add_spread(args, lab, count),
        (true, false) => add_waves(args, lab, count),
        (false, _) => {}
    }
}

fn add_limit(lab: &mut Lab, workers: NonZeroUsize, count: usize) {
    let (name, at_once) = (pool_of(workers), workers.get().min(count));
    lab.claim(
        Claim::that(format!(
            "{name}: the most requests in flight at once, by the server's own count: {at_once}"
        ))
        .check(of(&name, "ledger.peak_in_flight").equals(number(at_once as f64))),
    );
}

/// A claim about the waits of these variants: it needs that nothing failed, and tells if it did.
fn about_waits(lab: &Lab, claim: Claim, variants: &[&str]) -> Claim {
    let ledgers = variants.iter().filter_map(|name| lab.ledger(name));
    let failed: u64 = ledgers.map(|ledger| ledger.failed).sum();
    let claim = variants.iter().fold(claim, |claim, name| {
        claim.check(of(*name, "ledger.failed").equals(number(0)))
    });
    match failed {
        0 => claim,
        _ => claim.otherwise(format!(
            "failed requests: {failed}; what failed was not waited for to its end"
        )),
    }
}

/// [`about_waits`], where each answer also came no sooner than it was asked to.
fn about_known_waits(lab: &Lab, claim: Claim, variants: &[&str]) -> Claim {
    let claim = about_waits(lab, claim, variants);
    variants.iter().fold(claim, |claim, name| {
        claim.check(of(*name, "results.early").equals(number(0)))
    })
}

fn add_overlap(lab: &mut Lab, workers: NonZeroUsize, count: usize) {
    let name = pool_of(workers);
    // The times alone would also differ where a server got faster.
    let claim = Claim::that("the pool took less than ¾ of the time of one after another")
        .check(of(&name, "wall_s").below(of(SEQUENTIAL, "wall_s").times(0.75)))
        .check(ratio(of(&name, "open_s"), of(&name, "wall_s")).above(number(4.0 / 3.0)));
    let claim = match workers.get().min(count) {
        1 => claim.otherwise(format!(
            "nothing could overlap: requests {count}, threads in the pool {workers}"
        )),
        _ => claim,
    };
    lab.claim(about_waits(lab, claim, &[SEQUENTIAL, &name]));
}

/// Equal waits: the pool's size decides how many follow each other.
fn add_waves(args: &Args, lab: &mut Lab, count: usize) {
    let (workers, delay_s) = (args.workers, args.requests.delay.as_secs_f64());
    let (name, waves) = (pool_of(workers), count.div_ceil(workers.get()));
    let claim = Claim::that(format!(
        "requests {count}, threads in the pool {workers}: the pool took the time of {waves}, \
         not of {}, waits in a row",
        waves + 1
    ))
    .check(of(&name, "wall_s").at_least(number(waves as f64 * delay_s)))
    .check(of(&name, "wall_s").below(number((waves + 1) as f64 * delay_s)));
    lab.claim(about_known_waits(lab, claim, &[&name]));
}

/// Unequal waits: who is ready first, and how few threads would do.
fn add_spread(args: &Args, lab: &mut Lab, count: usize) {
    let name = pool_of(args.workers);
    let order = Claim::that("results came in another order than that of asking")
        .check(of(&name, "results.overtaking").above(number(0)));
    let order = match args.workers.get().min(count) {
        1 => order.otherwise("one at a time, requests complete in the order of asking"),
        _ => order,
    };
    lab.claim(about_waits(lab, order, &[&name]));
    if let Some(half) = args.half().filter(|_| count > 1) {
        add_half(args, lab, count, half);
    }
}

/// That the waits were unequal shows in their sum: equal ones, the longest for all, would come to
/// at least a third more.
fn add_half(args: &Args, lab: &mut Lab, count: usize, half: NonZeroUsize) {
    let asked: Vec<f64> = args
        .delays(count)
        .map(|delay| delay.as_secs_f64())
        .collect();
    let most: f64 = 1.25 * asked.iter().sum::<f64>();
    let (few, all) = (pool_of(half), pool_of(args.workers));
    let claim = Claim::that(format!(
        "with waits from {} down to {}, asked for in this order, {half} of {} threads took less \
         than 1.5 × the time of all",
        format::seconds_f64(asked[0]),
        format::seconds_f64(asked[count - 1]),
        args.workers
    ))
    .check(of(&few, "wall_s").below(of(&all, "wall_s").times(1.5)))
    .check(of(&few, "open_s").below(number(most)))
    .check(of(&all, "open_s").below(number(most)));
    lab.claim(about_known_waits(lab, claim, &[&few, &all]));
}
