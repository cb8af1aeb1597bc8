//! What the races are to show.

use common::{
    Lab,
    claim::{Claim, number, of, top},
};
use lab_12_race_conditions::trials::Race;

const WIDENED_FAILED: &str = "a thread with little to do can be through before the next one runs";

/// Adds the claims about the schedules that were forced.
pub(crate) fn add_forced(lab: &mut Lab) {
    let forced = |name: &str| of("forced", format!("results.{name}"));
    lab.claim(
        Claim::that("real threads made their accesses in exactly the order asked for")
            .check(forced("in_the_order_asked_for").equals(forced("schedules"))),
    );
    lab.claim(
        Claim::that("updates were lost exactly where a store fell between a load and its store")
            .check(forced("results_as_predicted").equals(forced("schedules")))
            .check(forced("with_a_store_in_a_window").equals(forced("losing_an_update"))),
    );
}

/// Adds the claims about the counter in many trials.
pub(crate) fn add_odds(lab: &mut Lab, race: Race, trials: usize) {
    let wrong = |variant| of(variant, "results.went_wrong");
    let racing = |claim: Claim| match race.threads.get() {
        1 => claim.otherwise("one thread has nobody to race with"),
        _ => claim,
    };
    lab.claim(
        Claim::that("one thread alone loses nothing with the same load and store")
            .check(wrong("one thread").equals(number(0))),
    );
    lab.claim(racing(
        Claim::that("held open, the window lost updates in every trial")
            .check(wrong("widened").equals(top("params.trials")))
            .otherwise(WIDENED_FAILED),
    ));
    lab.claim(racing(
        Claim::that(format!(
            "the tight loop lost updates in one trial or more of {trials}"
        ))
        .check(wrong("tight").above(number(0)))
        .needs_cpus()
        .otherwise("no store fell into a window this time, which says nothing about the next"),
    ));
    lab.claim(
        Claim::that("in one step, no trial lost an update")
            .check(wrong("one step").equals(number(0))),
    );
}

/// Adds the claims about the account and the audit.
pub(crate) fn add_bank(lab: &mut Lab) {
    let wrong = |variant, mode: &str| of(variant, format!("results.{mode}.went_wrong"));
    lab.claim(
        Claim::that("both checks before either act, as was forced: the account is overdrawn")
            .check(of("account", "results.left_when_forced").below(number(0))),
    );
    lab.claim(
        Claim::that("held open, the window let threads overdraw the account by chance, too")
            .check(wrong("account", "widened").above(number(0)))
            .otherwise(WIDENED_FAILED),
    );
    lab.claim(
        Claim::that("held open, the window let audits see a total that never was")
            .check(wrong("audit", "widened").above(number(0)))
            .otherwise(WIDENED_FAILED),
    );
    lab.claim(
        Claim::that("check and act in one section, and both locks at once: nothing went wrong")
            .check(wrong("account", "repaired").equals(number(0)))
            .check(wrong("audit", "repaired").equals(number(0))),
    );
}

/// Adds the claims about what the checker found; `same_program` is whether it checked the listed one.
pub(crate) fn add_checked(lab: &mut Lab, same_program: bool) {
    let found = |program: &str, name: &str| of("checker", format!("results.{program}.{name}"));
    if same_program {
        lab.claim(
            Claim::that(
                "the checker, which does not know the list, found as many schedules and losses",
            )
            .check(found("counter", "schedules").equals(of("forced", "results.schedules")))
            .check(found("counter", "failing").equals(of("forced", "results.losing_an_update"))),
        );
    }
    let programs = ["counter", "account", "audit"];
    let complete = Claim::that("in none of the schedules that the checker tried did a repair fail");
    lab.claim(programs.into_iter().fold(complete, |claim, program| {
        let repaired = format!("{program}_repaired");
        claim.check(found(&repaired, "failing").equals(number(0)))
    }));
}
