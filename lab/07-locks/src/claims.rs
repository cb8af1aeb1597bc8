//! What the counts and their times are to show.

use common::{
    Lab,
    claim::{Claim, Count, Figure, count},
};
use lab_07_locks::Plan;

/// What a way counted in its latest round.
pub(crate) struct Counted {
    pub(crate) name: &'static str,
    pub(crate) got: u64,
    counted: Figure<Count>,
    lost_updates: Figure<Count>,
}

impl Counted {
    pub(crate) fn note(lab: &mut Lab, name: &'static str, plan: Plan, got: u64) -> Self {
        let lost = plan.expected().saturating_sub(got);
        Self {
            name,
            got,
            counted: lab.count(name, "counted", got as usize),
            lost_updates: lab.count(name, "lost_updates", lost as usize),
        }
    }
}

pub(crate) fn claim(lab: &mut Lab, plan: Plan, counted: &[Counted]) {
    let expected = count(plan.expected() as usize);
    let text = "lock, atomic addition, sum at the end, queue: Expected equals Got";
    let mut right = Claim::that("repairs_are_right", text).headline();
    for way in counted.iter().filter(|way| way.name != "racy") {
        right = right.check(way.counted.clone().equals(expected.clone()));
    }
    lab.claim(right);
    let text = "without any of them updates were lost";
    let mut lossy = Claim::that("race_loses", text).headline();
    lossy = lossy.in_a_line("without any of them updates were lost, in every round");
    for way in counted.iter().filter(|way| way.name == "racy") {
        lossy = lossy.check(way.lost_updates.clone().above(count(0)));
    }
    lab.claim(match plan.threads.get() {
        1 => lossy.otherwise("one thread has no other to race with"),
        _ => lossy,
    });
    compare_costs(lab);
}

fn compare_costs(lab: &mut Lab) {
    for (name, about, ways) in [
        (
            "lock_has_a_price",
            "what a lock costs",
            ["sum at the end", "Mutex"],
        ),
        (
            "atomic_is_cheaper",
            "one atomic step",
            ["fetch_add", "Mutex"],
        ),
        (
            "apart_is_cheapest",
            "counting apart",
            ["sum at the end", "fetch_add"],
        ),
        ("race_is_cheaper", "being wrong", ["racy", "Mutex"]),
    ] {
        let claim = lab.compare(name, about, ways);
        lab.claim(match name {
            "lock_has_a_price" => claim.headline(),
            _ => claim,
        });
    }
}
