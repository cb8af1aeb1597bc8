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
    assert_eq!(verdict(&document, "widened_loses"), "shown");
    let trials = &variant(&document, "widened trials")["figures"]["losing_trials"];
    assert_eq!(trials[0], 20.0);
}

#[test]
fn every_trial_has_its_place_in_the_table_of_outcomes() {
    let arguments = ["--json", "--threads", "3", "--increments", "500"];
    let document = run(BINARY, &arguments).well().document();
    for (column, name) in [(1, "widened trials"), (2, "tight trials")] {
        let rows = document["tables"][0]["rows"].as_array().expect("rows");
        let cells = rows.iter().filter_map(|row| row[column].as_str());
        let occurrences = cells.filter_map(|cell| cell.strip_suffix("/20")?.parse::<usize>().ok());
        let occurrences: Vec<usize> = occurrences.collect();
        assert_eq!(occurrences.iter().sum::<usize>(), 20, "{name}");
        let got = &variant(&document, name)["results"];
        let right = got.as_array().expect("a count for each trial").iter();
        assert_eq!(
            right.filter(|count| **count == 1500).count(),
            occurrences[0]
        );
    }
}

#[test]
fn a_single_thread_loses_nothing_and_the_reason_says_so() {
    let arguments = ["--json", "--threads", "1", "--increments", "100"];
    let document = run(BINARY, &arguments).well().document();
    let forced = claim(&document, "forced_loses");
    assert_eq!(forced["verdict"], "not_shown");
    assert_eq!(forced["reason"], "one thread has no other to race with");
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--threads", "64", "--increments", "10000000"];
    let _ = run(BINARY, &all).refused(2, &["12,800,000,000 increments", "lower one"]);
}
