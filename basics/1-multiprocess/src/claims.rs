//! What the run is to show.

use basics_1_multiprocess::Attainable;
use common::{
    Experiment,
    experiment::claim::{Claim, number, of, top},
};
use std::num::NonZeroUsize;

/// How much less time than another an order of hand-out must take to be called the better one.
const CLEARLY_LESS: f64 = 0.95;

pub(crate) fn add(lab: &mut Experiment, workers: NonZeroUsize, attainable: Attainable) {
    lab.claim(
        Claim::that("in every variant all four sums equal the closed form")
            .check(of("sequential", "ledger.done").equals(number(4)))
            .check(of("in order", "ledger.done").equals(number(4)))
            .check(of("longest first", "ledger.done").equals(number(4))),
    );
    let growth = || top("params.four_times_the_work_took_times");
    lab.claim(
        Claim::that(
            "four times the work takes about four times as long: nothing was optimised away",
        )
        .check(growth().above(number(2.5)))
        .check(growth().below(number(6.5)))
        .otherwise("the machine changed its speed between two short measurements"),
    );
    lab.claim(overlap(workers));
    lab.claim(order(workers, attainable));
    lab.claim(
        Claim::that("longest first reaches the bound to within a tenth")
            .check(of("longest first", "efficiency").at_least(number(0.9)))
            .needs_cpus(),
    );
}

fn overlap(workers: NonZeroUsize) -> Claim {
    let claim = Claim::that(
        "the jobs overlapped: the pool took less than three quarters of one process's time",
    )
    .check(of("longest first", "walls_s").below(of("sequential", "walls_s").times(0.75)));
    if workers.get() == 1 {
        claim.otherwise("a single worker does one job at a time")
    } else {
        claim.needs_cpus()
    }
}

fn order(workers: NonZeroUsize, attainable: Attainable) -> Claim {
    let claim = Claim::that("the order counts: longest first took clearly less time than in order")
        .check(of("longest first", "walls_s").below(of("in order", "walls_s").times(CLEARLY_LESS)));
    let Attainable {
        in_order,
        longest_first,
    } = attainable;
    if in_order / longest_first > CLEARLY_LESS {
        let reason = format!("with --workers {workers} either order attains {in_order:.2}×");
        claim.otherwise(reason)
    } else {
        claim.needs_cpus()
    }
}
