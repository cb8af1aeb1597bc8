//! What the counts and their times are to show.

use common::{
    Lab,
    claim::{Claim, Count, Figure},
};
use lab_07_locks::Plan;

/// The ways to count right; the others are `sequential` and `racy`.
const REPAIRS: [&str; 4] = ["Mutex", "fetch_add", "sum at the end", "queue"];

/// Notes what a way counted in its latest round.
pub(crate) fn note(lab: &mut Lab, name: &str, plan: Plan, got: u64) {
    let lost = plan.expected().saturating_sub(got);
    lab.note(name, "counted", got as usize);
    lab.note(name, "lost_updates", lost as usize);
}

pub(crate) fn claim(lab: &mut Lab, plan: Plan) {
    let number = |name, figure| Figure::<Count>::noted(Some(name), figure);
    let text = "Mutex, fetch_add, sum at the end, queue: Expected equals Got";
    let right = Claim::that("repairs_are_right", text).headline();
    lab.claim(REPAIRS.into_iter().fold(right, |claim, name| {
        claim.check(number(name, "counted").equals(plan.expected() as usize))
    }));
    let text = "racy: updates were lost";
    let lossy = Claim::that("race_loses", text)
        .check(number("racy", "lost_updates").above(0))
        .in_a_line("racy: updates were lost, in every round")
        .headline();
    let alone = (plan.threads.get() == 1).then_some("one thread has no other to race with");
    lab.claim(lossy.otherwise(alone));
    let (lock, step, apart) = ("Mutex", "fetch_add", "sum at the end");
    let price = lab.compare("lock_has_a_price", "what a lock costs", [apart, lock]);
    let cheaper = lab.compare(
        "atomic_is_cheaper",
        "fetch_add, one atomic step",
        [step, lock],
    );
    let cheapest = lab.compare("apart_is_cheapest", "counting apart", [apart, step]);
    let wrong = lab.compare("race_is_cheaper", "being wrong", ["racy", lock]);
    for claim in [price.headline(), cheaper, cheapest, wrong] {
        lab.claim(claim);
    }
}
