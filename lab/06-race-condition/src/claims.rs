//! What the races lost, and what that shows.

use common::{
    Lab,
    claim::{Claim, Count, Figure},
    format,
};
use lab_06_race_condition::Race;

// What is noted of each variant.
const UPDATES: &str = "lost_updates";
const SHARE: &str = "lost_share";
const LOSING: &str = "losing_trials";
const MOST: &str = "most_counted";

/// Notes what the trials of a variant lost; returns how many of them did, and the row of the table.
pub(crate) fn note(lab: &mut Lab, name: &str, race: Race, got: &[u64]) -> (usize, Vec<String>) {
    let expected = race.expected();
    let lost = got.iter().map(|got| expected.saturating_sub(*got));
    let losing = lost.clone().filter(|lost| *lost > 0).count();
    let all: u64 = lost.sum();
    let [least, most] = [got.iter().min(), got.iter().max()].map(|it| it.copied().unwrap_or(0));
    lab.note(name, UPDATES, all as usize);
    let share = all as f64 / (expected as f64 * got.len() as f64);
    lab.note(name, SHARE, share);
    lab.note(name, LOSING, losing);
    lab.note(name, MOST, most as usize);
    let got_by_all = match least == most {
        true => format::count(most),
        false => format!("{} to {}", format::count(least), format::count(most)),
    };
    let losing_of = format!("{losing} of {}", got.len());
    let row = [name, &format::count(expected), &got_by_all];
    let mut row: Vec<String> = row.map(String::from).into();
    row.extend([losing_of, format::percent(share)]);
    (losing, row)
}

fn number(name: &str, figure: &str) -> Figure<Count> {
    Figure::noted(Some(name), figure)
}

/// Shows the table, and adds the claims.
pub(crate) fn show(lab: &mut Lab, race: Race, trials: usize, all: Vec<(usize, Vec<String>)>) {
    let is_repaired = race.threads.get() > 1 && all[1].0 == 0;
    let headings = ["", "Expected", "Got", "trials with loss", "updates lost"];
    let title = "Between load and store, and what that costs";
    let rows = all.into_iter().map(|(_, row)| row).collect();
    lab.table(title, &headings, rows, "");
    let none = |name| number(name, UPDATES).equals(0);
    let text = "one thread alone lost nothing with the same load and store";
    lab.claim(Claim::that("one_thread_loses_nothing", text).check(none("sequential")));
    let text = "no trial counted more than it should";
    let most = |name| number(name, MOST).at_most(race.expected() as usize);
    let claim = Claim::that("never_too_much", text).check(most("widened"));
    lab.claim(claim.check(most("tight")));
    // With all loads before any store, only one way to add can lose nothing.
    if is_repaired {
        let text = "repaired: no update was lost in any trial, even when forced";
        let repaired = Claim::that("repaired", text).headline();
        let none = ["forced", "widened", "tight"].map(none);
        lab.claim(none.into_iter().fold(repaired, Claim::check));
    } else {
        claim_losses(lab, race, trials);
    }
}

/// Claims that each way of racing lost updates, and which lost most.
fn claim_losses(lab: &mut Lab, race: Race, trials: usize) {
    let text = "forced: all loaded before any stored, and one update stayed";
    let forced = Claim::that("forced_loses", text)
        .check(number("forced", UPDATES).above(0))
        .check(number("forced", MOST).equals(1));
    let text = "widened: work between load and store lost updates in every trial";
    let widened = Claim::that("widened_loses", text)
        .check(number("widened", LOSING).equals(trials))
        .check(number("widened", UPDATES).above(0));
    // True whatever chance does: a narrow window may lose nothing in all of its trials.
    let text = "the same bug with nothing in between: `tight` lost in no more trials";
    let line = "tight, the same bug: lost in {left} of";
    let wider = Claim::that("wider_loses_more", text)
        .in_a_line(format!("{line} {trials} trials, widened in {{right}}"))
        .check(number("tight", LOSING).at_most(number("widened", LOSING)))
        .check(number("widened", LOSING).above(0));
    for claim in [forced, widened, wider].map(Claim::headline) {
        let alone = (race.threads.get() == 1).then_some("one thread has no other to race with");
        lab.claim(claim.otherwise(alone));
    }
}
