//! The binary as a user runs it.

use testing::{run, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-06-race-condition");

#[test]
fn an_update_is_lost_by_force_in_every_run_and_none_by_one_thread_alone() {
    let document = run(BINARY, &["--json", "--increments", "2000", "--trials", "5"])
        .well()
        .document();
    let forced = &variant(&document, "forced")["results"];
    assert_eq!(forced["expected"], 2);
    assert_eq!(forced["got"][0], 1);
    let alone = &variant(&document, "sequential")["results"];
    assert_eq!(alone["got"][0], 4000);
    let claims = document["claims"].as_array().expect("a run has claims");
    assert_eq!(claims[0]["verdict"], "shown");
    assert_eq!(claims[1]["verdict"], "shown");
    assert_eq!(variant(&document, "forced")["ledger"]["threads"], 3);
}

#[test]
fn with_the_scripts_numbers_the_widened_window_loses_in_every_trial() {
    let document = run(BINARY, &["--json"]).well().document();
    assert_eq!(
        variant(&document, "widened")["results"]["expected"],
        200_000
    );
    assert_eq!(variant(&document, "widened")["results"]["losing"], 1);
    assert_eq!(
        variant(&document, "widened trials")["results"]["losing"],
        20
    );
}

#[test]
fn every_trial_has_its_place_in_the_table_of_outcomes() {
    let document = run(BINARY, &["--json", "--threads", "3", "--increments", "500"])
        .well()
        .document();
    for name in ["widened trials", "tight trials"] {
        let results = &variant(&document, name)["results"];
        let outcomes = results["outcomes"].as_array().expect("a table");
        let occurrences = outcomes.iter().map(|outcome| &outcome["occurrences"]);
        let occurrences: Vec<u64> = occurrences.filter_map(|count| count.as_u64()).collect();
        assert_eq!(occurrences.iter().sum::<u64>(), 20);
        let got = results["got"].as_array().expect("a count per trial");
        assert_eq!(got.len(), 20);
        let right = got.iter().filter(|&count| *count == 1500).count() as u64;
        assert_eq!(results["losing"].as_u64(), Some(20 - right));
        assert_eq!(occurrences[0], right);
    }
}

#[test]
fn a_single_thread_loses_nothing_and_is_told_why() {
    let document = run(BINARY, &["--json", "--threads", "1", "--increments", "100"])
        .well()
        .document();
    assert_eq!(variant(&document, "forced")["results"]["losing"], 0);
    let claims = document["claims"].as_array().expect("a run has claims");
    assert_eq!(claims[1]["verdict"], "not_shown");
    assert_eq!(claims[1]["reason"], "one thread has nobody to race with");
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--threads", "64", "--increments", "10000000"];
    let _ = run(BINARY, &all).refused(2, &["12,800,000,000 increments", "lower one"]);
}
