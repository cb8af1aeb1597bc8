//! What the run is to show.

use crate::{MULTI, SINGLE};
use common::{
    Lab,
    claim::{Claim, number, of, ratio, top},
};
use network::RequestArgs;

pub(crate) fn add(lab: &mut Lab, args: &RequestArgs, workers: usize, count: usize) {
    let (at_once, waves) = (workers.min(count), count.div_ceil(workers));
    lab.claim(
        Claim::that(format!(
            "in flight at once, by the server's count: 1 with the single thread, {at_once} with the pool"
        ))
        .check(of(SINGLE, "ledger.peak_in_flight").equals(number(1)))
        .check(of(MULTI, "ledger.peak_in_flight").equals(number(at_once as f64))),
    );
    lab.claim(
        Claim::that(format!(
            "no threads were seen but the main one and the {workers} of the pool"
        ))
        .check(of(MULTI, "ledger.threads").at_most(number((workers + 1) as f64))),
    );
    add_overlap(lab, args, workers, count);
    if args.url.is_empty() {
        let delays = |factor: f64| top("params.delay_s").times(factor * waves as f64);
        lab.claim(
            Claim::that(format!(
                "the pool took {waves} × the delay ({count} / {workers}, rounded up), or up to a \
                 quarter more"
            ))
            .check(of(MULTI, "ledger.failed").equals(number(0)))
            .check(of(MULTI, "wall_s").at_least(delays(1.0)))
            .check(of(MULTI, "wall_s").at_most(delays(1.25))),
        );
    }
}

/// The times alone would also differ where requests failed, or where a server got faster.
fn add_overlap(lab: &mut Lab, args: &RequestArgs, workers: usize, count: usize) {
    let overlap =
        Claim::that("the waits overlapped: the pool took less than ¾ of the single thread's time")
            .check(of(SINGLE, "ledger.failed").equals(number(0)))
            .check(of(MULTI, "ledger.failed").equals(number(0)))
            .check(of(MULTI, "wall_s").below(of(SINGLE, "wall_s").times(0.75)))
            .check(ratio(of(MULTI, "open_s"), of(MULTI, "wall_s")).above(number(4.0 / 3.0)));
    let overlap = if args.needs_server() {
        overlap.check(of(MULTI, "ledger.peak_in_flight").above(number(1)))
    } else {
        overlap
    };
    let ledgers = [SINGLE, MULTI].map(|variant| lab.ledger(variant));
    let failed: u64 = ledgers.iter().flatten().map(|ledger| ledger.failed).sum();
    lab.claim(match failed {
        0 if workers.min(count) == 1 => overlap.otherwise(format!(
            "nothing could overlap: requests {count}, threads in the pool {workers}"
        )),
        0 => overlap,
        _ => overlap.otherwise(format!(
            "requests failed in both variants together: {failed}; their times say nothing of waits"
        )),
    });
}
