//! What the races are to show.

use common::{
    Lab,
    claim::{Claim, Count, Figure, Ratio, count},
};
use lab_06_race_condition::Race;

/// What the trials of one variant lost.
pub(crate) struct Lost {
    pub(crate) updates: Figure<Count>,
    pub(crate) share: Figure<Ratio>,
    pub(crate) losing_trials: Figure<Count>,
    pub(crate) most_counted: Figure<Count>,
    pub(crate) expected: u64,
    pub(crate) trials: usize,
}

pub(crate) fn claim(
    lab: &mut Lab,
    race: Race,
    [sequential, forced, widened, wide, tight]: [Lost; 5],
) {
    let racing = |claim: Claim| match race.threads.get() {
        1 => claim.otherwise("one thread has no other to race with"),
        _ => claim,
    };
    lab.claim(
        Claim::that(
            "one_thread_loses_nothing",
            "one thread alone lost nothing with the same load and store",
        )
        .check(sequential.updates.equals(count(0))),
    );
    lab.claim(racing(
        Claim::that(
            "forced_loses",
            "all loaded before any stored: one update stayed, without chance",
        )
        .check(forced.updates.above(count(0)))
        .check(forced.most_counted.equals(count(1)))
        .headline(),
    ));
    lab.claim(racing(
        Claim::that(
            "widened_loses",
            "held open, the window lost updates in every trial",
        )
        .check(widened.updates.above(count(0)))
        .check(wide.losing_trials.clone().equals(count(wide.trials)))
        .headline(),
    ));
    claim_trials(lab, racing, wide, tight);
}

/// Adds what the trials with a wide window and with a tight one are to show.
fn claim_trials(lab: &mut Lab, racing: impl Fn(Claim) -> Claim, wide: Lost, tight: Lost) {
    lab.claim(racing(
        Claim::that(
            "tight_loses",
            format!(
                "the tight loop lost updates too, in one trial or more of {}",
                tight.trials
            ),
        )
        .check(tight.losing_trials.above(count(0)))
        .needs_cpus()
        .headline(),
    ));
    lab.claim(racing(
        Claim::that(
            "wider_loses_more",
            "the wider window lost the larger share of the updates",
        )
        .check(wide.share.above(tight.share)),
    ));
    lab.claim(
        Claim::that(
            "never_too_much",
            "the error had one direction: no trial counted more than it should",
        )
        .check(wide.most_counted.at_most(count(wide.expected as usize)))
        .check(tight.most_counted.at_most(count(tight.expected as usize))),
    );
}
