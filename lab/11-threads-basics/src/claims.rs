//! What the threads are to show.

use common::{
    Lab,
    claim::{Claim, number, of},
};
use lab_11_threads_basics::Plan;

const ALONE: &str = "one thread has nobody to run beside";

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, plan: Plan) {
    let result = |variant, name: &str| of(variant, format!("results.{name}"));
    let alone = plan.threads.get() == 1;
    let together = |claim: Claim, reason: &str| match alone {
        true => claim.otherwise(ALONE),
        false => claim.otherwise(reason),
    };
    lab.claim(
        Claim::that("when join had returned, every iteration had been made")
            .check(
                result("scoped", "made_when_main_went_on").equals(result("scoped", "iterations")),
            )
            .check(
                result("'static", "made_when_main_went_on").equals(result("'static", "iterations")),
            ),
    );
    lab.claim(
        Claim::that("before join, main went on while iterations were still to be made")
            .check(
                result("late join", "made_when_main_went_on")
                    .below(result("late join", "iterations")),
            )
            .otherwise("the threads were through before main looked"),
    );
    lab.claim(together(
        Claim::that("the threads' lines mixed: the speaker changed more often than on one thread")
            .check(result("scoped", "changes").above(result("sequential", "changes")))
            .check(result("'static", "changes").above(result("sequential", "changes"))),
        "a thread with little to do can be through before the next one starts",
    ));
    let overlapped =
        Claim::that("the waits overlapped: threads took less than three quarters of the time")
            .check(of("scoped", "wall_s").below(of("sequential", "wall_s").times(0.75)))
            .check(of("'static", "wall_s").below(of("sequential", "wall_s").times(0.75)));
    lab.claim(match plan.delay.is_zero() {
        true => overlapped.otherwise("there are no waits with a delay of 0"),
        false if alone => overlapped.otherwise(ALONE),
        false => overlapped,
    });
    add_panic(lab, plan);
}

/// Adds the claims about the thread that panics.
fn add_panic(lab: &mut Lab, plan: Plan) {
    lab.claim(
        Claim::that("one thread panicked, join returned it as a value, and main went on")
            .check(of("panicking", "results.panicked").equals(number(1)))
            .check(of("panicking", "ledger.failed").equals(number(1))),
    );
    if plan.threads.get() > 1 {
        lab.claim(
            Claim::that("the panic ended its own thread and no other").check(
                of("panicking", "ledger.done").equals(number(plan.threads.get() as u32 - 1)),
            ),
        );
    }
}
