//! What the run is to show, and how that is decided.

use common::{
    Lab,
    claim::{Check, Claim, Figure, number, of, ratio},
};

// The variants' names.
pub(crate) const SEQUENTIAL: &str = "sequential";
pub(crate) const THREADS: &str = "two threads";
pub(crate) const UNDER_GIL: &str = "two threads, GIL";
pub(crate) const HOLDING: &str = "waits, GIL held";
pub(crate) const RELEASING: &str = "waits, GIL let go";

/// Why one at a time may take less than one after another.
pub(crate) const OTHER_SPEED: &str =
    "the machine gave one of the two more of a CPU, or a faster one";

/// Two threads on two CPUs need half of one thread's time, two that take turns all of it; three
/// quarters lies between.
pub(crate) fn helped(variant: &str, than: &str) -> Check {
    of(variant, "walls_s").below(of(than, "walls_s").times(0.75))
}

/// The opposite of [`helped`].
pub(crate) fn helped_little(variant: &str, than: &str) -> Check {
    of(variant, "walls_s").at_least(of(than, "walls_s").times(0.75))
}

/// More than one CPU was at work for a part of the time: a wall time alone may be the chance of a
/// machine that changes speed.
pub(crate) fn overlapped(cpu: Figure, wall: Figure) -> Check {
    ratio(cpu, wall).above(number(1.2))
}

/// One CPU's worth of work, or less.
pub(crate) fn on_one_cpu(cpu: Figure, wall: Figure) -> Check {
    cpu.at_most(wall.times(1.1))
}

/// Adds what Rust's own variants are to show.
pub(crate) fn claim(lab: &mut Lab) {
    let freely = "two threads did both jobs in less than three quarters of one thread's time";
    lab.claim(
        Claim::that(freely)
            .check(overlapped(of(THREADS, "busy_s"), of(THREADS, "wall_s")))
            .check(helped(THREADS, SEQUENTIAL))
            .needs_cpus(),
    );
    let in_turns = "under one GIL the same two threads took at least three quarters of one's time";
    lab.claim(
        Claim::that(in_turns)
            .check(helped_little(UNDER_GIL, SEQUENTIAL))
            .otherwise(OTHER_SPEED),
    );
    let one_cpu = "under the GIL both threads together kept no more than one CPU busy, a tenth over \
                   at most";
    // What the threads were busy with counts in the kernel, too.
    lab.claim(
        Claim::that(one_cpu).check(on_one_cpu(of(UNDER_GIL, "busy_s"), of(UNDER_GIL, "wall_s"))),
    );
    let turns = "they took turns: the GIL changed hands while both jobs ran";
    lab.claim(
        Claim::that(turns)
            .check(of(UNDER_GIL, "results.hand_overs").at_least(number(2)))
            .otherwise("one job ended before the other had its first turn"),
    );
    let without =
        "without the GIL they took less than three quarters of the time they took under it";
    lab.claim(
        Claim::that(without)
            .check(overlapped(of(THREADS, "busy_s"), of(THREADS, "wall_s")))
            .check(helped(THREADS, UNDER_GIL))
            .needs_cpus(),
    );
    let waits = "let go around a wait, the GIL let both threads wait at once; held, one at a time";
    lab.claim(
        Claim::that(waits)
            .check(of(RELEASING, "results.most_at_once").equals(number(2)))
            .check(of(HOLDING, "results.most_at_once").equals(number(1)))
            .otherwise("one wait was over before the other began"),
    );
}
