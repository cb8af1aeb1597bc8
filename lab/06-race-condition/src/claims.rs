//! What the races are to show.

use common::{
    Lab,
    claim::{Claim, number, of, top},
};
use lab_06_race_condition::Race;

/// Adds the claims; the figures of the run decide.
pub(crate) fn add(lab: &mut Lab, race: Race, trials: usize) {
    let losing = |variant| of(variant, "results.losing");
    let figure = |variant, name: &str| of(variant, format!("results.{name}"));
    let racing = |claim: Claim| match race.threads.get() {
        1 => claim.otherwise("one thread has nobody to race with"),
        _ => claim,
    };
    lab.claim(
        Claim::that("one thread alone loses nothing with the same load and store")
            .check(losing("sequential").equals(number(0))),
    );
    lab.claim(racing(
        Claim::that("all load before any stores: one update stays, whatever the timing")
            .check(losing("forced").equals(number(1)))
            .check(figure("forced", "most_got").equals(number(1))),
    ));
    lab.claim(racing(
        Claim::that("held open, the window lost updates in every trial")
            .check(losing("widened").equals(number(1)))
            .check(losing("widened trials").equals(top("params.trials")))
            .otherwise("a thread with little to do can be through before the next one runs"),
    ));
    lab.claim(racing(
        Claim::that(format!(
            "the tight loop lost updates too, in one trial or more of {trials}"
        ))
        .check(losing("tight trials").above(number(0)))
        .needs_cpus()
        .otherwise("coming out right so often says nothing about the next time"),
    ));
    let (wide, tight) = ("widened trials", "tight trials");
    lab.claim(racing(
        Claim::that("the wider window lost the larger share of the updates")
            .check(figure(wide, "lost_share").above(figure(tight, "lost_share"))),
    ));
    lab.claim(
        Claim::that("the error has one direction: no trial counted more than it should")
            .check(figure(wide, "most_got").at_most(figure(wide, "expected")))
            .check(figure(tight, "most_got").at_most(figure(tight, "expected"))),
    );
}
