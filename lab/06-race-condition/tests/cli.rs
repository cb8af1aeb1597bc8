//! The binary as a user runs it.

use testing::{claim, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-06-race-condition");

#[test]
fn an_update_is_lost_by_force_in_every_run_and_none_by_one_thread_alone() {
    let arguments = ["--json", "--increments", "2000", "--trials", "5"];
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(verdict(&document, "one_thread_loses_nothing"), "shown");
    assert_eq!(verdict(&document, "forced_loses"), "shown");
    assert_eq!(variant(&document, "sequential")["results"][0], 4000);
    assert_eq!(variant(&document, "forced")["results"][0], 1);
    assert_eq!(variant(&document, "forced")["ledger"]["threads"], 3);
}

#[test]
fn with_the_scripts_numbers_the_widened_window_loses_in_every_trial() {
    let document = run(BINARY, &["--json"]).well().document();
    for name in ["widened_loses", "wider_loses_more"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    let trials = &variant(&document, "widened")["figures"]["losing_trials"];
    assert_eq!(trials[0], 20.0);
}

#[test]
fn the_table_says_how_many_trials_lost() {
    let arguments = ["--json", "--threads", "3", "--increments", "500"];
    let document = run(BINARY, &arguments).well().document();
    for (row, name) in [(2, "widened"), (3, "tight")] {
        let got = variant(&document, name)["results"].as_array();
        let got = got.expect("a count for each trial");
        let losing = got.iter().filter(|count| **count != 1500).count();
        let cell = &document["tables"][0]["rows"][row][3];
        assert_eq!(cell, &format!("{losing} of 20"), "{name}");
    }
}

#[test]
fn a_single_thread_loses_nothing_and_the_reason_says_so() {
    let arguments = ["--json", "--threads", "1", "--increments", "100"];
    let document = run(BINARY, &arguments).well().document();
    for name in ["forced_loses", "widened_loses", "wider_loses_more"] {
        let claim = claim(&document, name);
        assert_eq!(claim["verdict"], "not_shown", "{name}");
        assert_eq!(claim["reason"], "one thread has no other to race with");
    }
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--threads", "64", "--increments", "10000000"];
    let _ = run(BINARY, &all).refused(2, &["12,800,000,000 increments", "lower one"]);
}
