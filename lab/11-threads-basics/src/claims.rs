//! What the threads are to show.

use crate::way::Seen;
use common::{
    Lab,
    claim::{Claim, Count, Figure, count, done, failed, middle_wall, open, times, wall},
};
use lab_11_threads_basics::Plan;

pub(crate) fn claim(lab: &mut Lab, plan: Plan, seen: [Seen; 4], panicked: Figure<Count>) {
    let [sequential, scoped, owning, late] = seen;
    let threads = plan.threads.get();
    let all = || count(threads * plan.iterations);
    let together = |claim: Claim| match threads {
        1 => claim.otherwise("one thread has no other to run beside"),
        _ => claim,
    };
    lab.claim(
        Claim::that(
            "join_waits",
            "when join had returned, every iteration had been made",
        )
        .check(scoped.0.equals(all()))
        .check(owning.0.equals(all()))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "main_goes_on",
            "before join, main went on while iterations were still to be made",
        )
        .check(late.0.below(all()))
        .headline(),
    );
    lab.claim(together(
        Claim::that(
            "lines_mix",
            "the threads' lines mixed: the speaker changed more often than on one thread",
        )
        .check(scoped.1.above(sequential.1.clone()))
        .check(owning.1.above(sequential.1)),
    ));
    claim_overlap(lab, plan, together);
    claim_panic(lab, threads, panicked);
}

fn claim_overlap(lab: &mut Lab, plan: Plan, together: impl Fn(Claim) -> Claim) {
    let overlapped = Claim::that(
        "waits_overlap",
        "the waits overlapped: threads took less than three quarters of the time",
    );
    let overlapped = ["scoped", "'static"].into_iter().fold(overlapped, |claim, way| {
        let spans = open(way) / middle_wall(way);
        claim
            .check(wall(way).below(wall("sequential") * 0.75))
            // Main's wait in join is one of them, and would be there without any overlap.
            .check(spans.above(times(2.3)).in_words(
                "{left} threads at a time had something to do or to wait for, main in join included",
            ))
    });
    lab.claim(match plan.delay.is_zero() {
        true => overlapped.otherwise("there are no waits with a delay of 0"),
        false => together(overlapped).headline(),
    });
}

fn claim_panic(lab: &mut Lab, threads: usize, panicked: Figure<Count>) {
    lab.claim(
        Claim::that(
            "panic_is_a_value",
            "one thread panicked, join returned it as a value, and main went on",
        )
        .check(panicked.equals(count(1)))
        .check(failed("panicking").equals(count(1)))
        .headline(),
    );
    if threads > 1 {
        lab.claim(
            Claim::that(
                "panic_ends_one_thread",
                "the panic ended its own thread and no other",
            )
            .check(done("panicking").equals(count(threads - 1))),
        );
    }
}
