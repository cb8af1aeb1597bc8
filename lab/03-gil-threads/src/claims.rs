//! What the run is to show of Rust's own variants.

use crate::{SEQUENTIAL, THREADS, UNDER_GIL};
use common::{
    Lab,
    claim::{Check, Claim, Count, Figure, busy, count, middle_wall, times, wall},
};

/// Two threads on two CPUs need half of one thread's time, two that take turns all of it; three
/// quarters lies between.
pub(crate) fn helped(variant: &str, than: &str) -> Check {
    wall(variant).below(wall(than) * 0.75)
}

pub(crate) fn claim(
    lab: &mut Lab,
    [hand_overs, turns]: [Figure<Count>; 2],
    [held, released]: [Figure<Count>; 2],
) {
    // A wall time alone may be the chance of a machine that changes speed.
    let overlapped = || {
        (busy(THREADS) / middle_wall(THREADS))
            .above(times(1.2))
            .in_words("the two threads kept {left} CPUs busy")
    };
    lab.claim(
        Claim::that(
            "threads_help",
            "two threads did both jobs in less than three quarters of one thread's time",
        )
        .check(overlapped())
        .check(helped(THREADS, SEQUENTIAL))
        .in_a_line("two threads did both jobs in {left2} instead of {right2}")
        .needs_cpus()
        .headline(),
    );
    lab.claim(
        Claim::that(
            "gil_costs_the_gain",
            "under one GIL the same two threads took at least three quarters of one's time",
        )
        .check(wall(UNDER_GIL).at_least(wall(SEQUENTIAL) * 0.75))
        .in_a_line("under one GIL the same two took {left}; one thread alone {right}")
        .headline(),
    );
    lab.claim(
        Claim::that("gil_on_one_cpu", "under the GIL one thread ran at a time, and both together kept no more than one CPU busy, a tenth over at most")
            .check(turns.equals(count(1)))
            // What the threads were busy with counts in the kernel, too.
            .check(busy(UNDER_GIL).at_most(middle_wall(UNDER_GIL) * 1.1)),
    );
    lab.claim(
        Claim::that(
            "gil_changes_hands",
            "they took turns: the GIL changed hands while both jobs ran",
        )
        .check(hand_overs.at_least(count(2))),
    );
    lab.claim(
        Claim::that(
            "without_gil_faster",
            "without the GIL they took less than three quarters of the time they took under it",
        )
        .check(overlapped())
        .check(helped(THREADS, UNDER_GIL))
        .needs_cpus(),
    );
    lab.claim(
        Claim::that(
            "waits_overlap",
            "released around a wait, the GIL let both threads wait at once; held, one at a time",
        )
        .check(released.equals(count(2)))
        .in_a_line("waits at once: {left} with the GIL released, {left2} with the GIL held")
        .check(held.equals(count(1)))
        .headline(),
    );
}
