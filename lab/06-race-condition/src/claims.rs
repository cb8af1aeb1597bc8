//! What the races lost, and what that shows.

use common::{
    Lab, TableReport,
    claim::{Claim, Count, Figure, Ratio, count},
    format,
};
use lab_06_race_condition::Race;

/// What the trials of one variant lost.
pub(crate) struct Lost {
    name: &'static str,
    race: Race,
    /// What each trial counted.
    got: Vec<u64>,
    losing: usize,
    updates: Figure<Count>,
    share: Figure<Ratio>,
    losing_trials: Figure<Count>,
    most_counted: Figure<Count>,
}

impl Lost {
    pub(crate) fn note(lab: &mut Lab, name: &'static str, race: Race, got: Vec<u64>) -> Self {
        let expected = race.expected();
        let lost = || got.iter().map(|got| expected.saturating_sub(*got));
        let losing = lost().filter(|lost| *lost > 0).count();
        let share = lost().sum::<u64>() as f64 / (expected as f64 * got.len() as f64);
        let most = got.iter().max().copied().unwrap_or_default();
        Self {
            updates: lab.count(name, "lost_updates", lost().sum::<u64>() as usize),
            share: lab.ratio(name, "lost_share", share),
            losing_trials: lab.count(name, "losing_trials", losing),
            most_counted: lab.count(name, "most_counted", most as usize),
            name,
            race,
            got,
            losing,
        }
    }

    /// `forced`, `2`, `1`, `1 of 1`: several trials got from so many to so many.
    fn row(&self) -> Vec<String> {
        let most = self.got.iter().max().copied().unwrap_or_default();
        let least = self.got.iter().min().copied().unwrap_or_default();
        let got = match least == most {
            true => format::count(most),
            false => format!("{} to {}", format::count(least), format::count(most)),
        };
        let losing = format!("{} of {}", self.losing, self.got.len());
        let expected = format::count(self.race.expected());
        vec![self.name.into(), expected, got, losing]
    }
}

/// Shows the table, and adds the claims.
pub(crate) fn show(lab: &mut Lab, all: &[Lost; 4]) {
    let headings = ["", "Expected", "Got", "trials that lost"];
    lab.table(TableReport {
        title: "Expected against got".into(),
        headings: headings.map(String::from).into(),
        rows: all.iter().map(Lost::row).collect(),
        text_columns: vec![0],
        ..TableReport::default()
    });
    let [sequential, forced, widened, tight] = all;
    let text = "one thread alone lost nothing with the same load and store";
    let none = sequential.updates.clone().equals(count(0));
    lab.claim(Claim::that("one_thread_loses_nothing", text).check(none));
    let text = "no trial counted more than it should";
    let most = |lost: &Lost| {
        lost.most_counted
            .clone()
            .at_most(count(lost.race.expected() as usize))
    };
    let claim = Claim::that("never_too_much", text).check(most(widened));
    lab.claim(claim.check(most(tight)));
    // With all loads before any store, only one way to add can lose nothing.
    if forced.race.threads.get() > 1 && forced.losing == 0 {
        let text = "repaired: no update was lost in any trial, even when forced";
        let repaired = Claim::that("repaired", text).headline();
        let none = |lost: &Lost| lost.updates.clone().equals(count(0));
        lab.claim(
            [forced, widened, tight]
                .into_iter()
                .fold(repaired, |claim, lost| claim.check(none(lost))),
        );
        return;
    }
    races(lab, [forced, widened, tight]);
}

fn races(lab: &mut Lab, [forced, widened, tight]: [&Lost; 3]) {
    let alone = forced.race.threads.get() == 1;
    let racing = |claim: Claim| match alone {
        true => claim.otherwise("one thread has no other to race with"),
        false => claim,
    };
    let text = "forced: all loaded before any stored, and one update stayed";
    let claim = Claim::that("forced_loses", text).headline();
    let claim = claim.check(forced.updates.clone().above(count(0)));
    lab.claim(racing(
        claim.check(forced.most_counted.clone().equals(count(1))),
    ));
    let text = "widened: work between load and store lost updates in every trial";
    let claim = Claim::that("widened_loses", text).headline();
    let losing = |lost: &Lost| lost.losing_trials.clone();
    let claim = claim.check(losing(widened).equals(count(widened.got.len())));
    lab.claim(racing(claim.check(widened.updates.clone().above(count(0)))));
    let text = "tight: even with nothing in between, a trial or more lost updates";
    let line = format!(
        "tight: nothing in between, and {{left}} of {} trials lost",
        tight.got.len()
    );
    let claim = Claim::that("tight_loses", text).headline().needs_cpus();
    lab.claim(racing(
        claim.check(losing(tight).above(count(0))).in_a_line(line),
    ));
    let text = "the wider window lost the larger share of the updates";
    let wider = widened.share.clone().above(tight.share.clone());
    lab.claim(racing(Claim::that("wider_loses_more", text).check(wider)));
}
