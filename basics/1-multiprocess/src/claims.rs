//! What the run is to show.

use basics_1_multiprocess::Attainable;
use common::{
    Lab,
    claim::{Check, Claim, number, of, ratio, top},
    format,
};
use std::num::NonZeroUsize;

/// How much less time than another an order of hand-out must take to be called the better one.
const CLEARLY_LESS: f64 = 0.95;

pub(crate) fn add(
    lab: &mut Lab,
    workers: NonZeroUsize,
    attainable: Attainable,
    slowest_startup_s: f64,
) {
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
    let startup = startup_reason(lab, slowest_startup_s);
    lab.claim(overlap(workers, startup.as_deref()));
    lab.claim(order(workers, attainable, startup.as_deref()));
    let reached = Claim::that("longest first reaches the bound to within a tenth")
        .check(of("longest first", "efficiency").at_least(number(0.9)));
    lab.claim(or_lack_of_cpus(reached, startup.as_deref()));
}

/// What starting the workers took, where that is more than a twentieth of the whole.
fn startup_reason(lab: &Lab, startup_s: f64) -> Option<String> {
    let wall_s = lab.wall("longest first")?.as_secs_f64();
    let startup = format::seconds_f64(startup_s);
    (startup_s > 0.05 * wall_s)
        .then(|| format!("in the last round starting the workers took {startup}"))
}

fn or_lack_of_cpus(claim: Claim, reason: Option<&str>) -> Claim {
    match reason {
        Some(reason) => claim.otherwise(reason).needs_cpus(),
        None => claim.needs_cpus(),
    }
}

fn overlap(workers: NonZeroUsize, startup: Option<&str>) -> Claim {
    let claim = Claim::that(
        "the jobs overlapped: the pool took less than three quarters of one process's time",
    )
    .check(more_than_one_cpu_worked())
    .check(of("longest first", "walls_s").below(of("sequential", "walls_s").times(0.75)));
    if workers.get() == 1 {
        claim.otherwise("a single worker does one job at a time")
    } else {
        or_lack_of_cpus(claim, startup)
    }
}

fn order(workers: NonZeroUsize, attainable: Attainable, startup: Option<&str>) -> Claim {
    let claim = Claim::that(
        "with more than one CPU at work, longest first took clearly less time than in order",
    )
    .check(more_than_one_cpu_worked())
    .check(of("longest first", "walls_s").below(of("in order", "walls_s").times(CLEARLY_LESS)));
    let (in_order, longest_first) = (attainable.in_order, attainable.longest_first);
    if in_order / longest_first > CLEARLY_LESS {
        claim.otherwise(format!(
            "with --workers {workers} either order attains {in_order:.2}×"
        ))
    } else {
        or_lack_of_cpus(claim, startup)
    }
}

/// Work and wall time say it; a wall time alone may be the chance of a machine that changes speed.
fn more_than_one_cpu_worked() -> Check {
    ratio(of("longest first", "busy_s"), of("longest first", "wall_s")).above(number(1.2))
}
