//! What the run is to show.

use crate::{IN_ORDER, LONGEST_FIRST};
use common::{
    Lab,
    claim::{Claim, Figure, Ratio, done, efficiency, wall},
};
use std::num::NonZeroUsize;

/// How much less time than another an order of hand-out must take to be called the better one.
const CLEARLY_LESS: f64 = 0.95;

/// Adds the claims; given the speed-ups that are possible in either order.
pub(crate) fn add(lab: &mut Lab, workers: NonZeroUsize, [in_order, longest_first]: [f64; 2]) {
    let text = "all four sums are right, in every variant";
    let ways = ["sequential", IN_ORDER, LONGEST_FIRST];
    let right = Claim::that("sums_are_right", text);
    lab.claim(
        ways.into_iter()
            .fold(right, |claim, way| claim.check(done(way).equals(4))),
    );
    // A wall time alone may be the chance of a machine that changes its speed.
    let several_at_work = || {
        let at_work = Figure::<Ratio>::noted(Some(LONGEST_FIRST), "cpus_at_work");
        at_work
            .above(1.2)
            .in_words("{left} CPUs at work, on average")
    };
    let text = "the pool: longest first took less than 3/4 of the time of one by one";
    let overlap = Claim::that("jobs_overlap", text)
        .check(wall(LONGEST_FIRST).below(wall("sequential") * 0.75))
        .check(several_at_work())
        .in_a_line("the jobs overlapped: {left} instead of {right}, {left2} CPUs at work")
        .headline();
    lab.claim(match workers.get() {
        1 => overlap.otherwise(Some("a single worker does one job at a time")),
        _ => overlap.needs_cpus(),
    });
    let text = "the order: longest first took less time than in order";
    let less = wall(LONGEST_FIRST).below(wall(IN_ORDER) * CLEARLY_LESS);
    let order = Claim::that("longest_first_is_faster", text)
        .check(less.in_words("longest first took {left}; clearly less would be {right}"))
        .check(several_at_work())
        .in_a_line("longest first took {left}, in order {right}")
        .headline();
    lab.claim(if in_order / longest_first > CLEARLY_LESS {
        let why = format!("with --workers {workers} either order can reach {in_order:.2} ×");
        order.otherwise(Some(why))
    } else {
        order.needs_cpus()
    });
    let text = "the bound: longest first came within a tenth of what is possible";
    let reached = efficiency(LONGEST_FIRST).at_least(0.9);
    let reached = Claim::that("bound_is_reached", text).check(reached);
    lab.claim(reached.needs_cpus());
}
