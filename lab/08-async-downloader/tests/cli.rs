//! The binary as a user runs it.

use std::collections::BTreeSet;
use testing::{assert_nothing_left_behind, events_of, run, traced, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-08-async-downloader");

#[test]
fn tasks_wait_at_once_on_one_thread_and_the_server_is_the_witness() {
    let document = run(BINARY, &["--json", "--delay", "0.5", "--requests", "8"])
        .well()
        .document();
    let tasks = variant(&document, "tasks");
    assert_eq!(tasks["ledger"]["peak_in_flight"], 8);
    assert_eq!(tasks["ledger"]["connections"], 8);
    assert_eq!(tasks["ledger"]["done"], 8);
    assert_eq!(tasks["ledger"]["threads"], 1);
    let lanes = tasks["lanes"].as_array().expect("lanes");
    assert_eq!(lanes.len(), 8);
    assert!(lanes.iter().all(|lane| lane["kind"] == "task"), "{lanes:?}");
    assert!(
        tasks["busy_s"].as_f64() <= tasks["wall_s"].as_f64(),
        "one thread polls one task at a time"
    );
    let each = variant(&document, "await in a loop");
    assert_eq!(each["ledger"]["peak_in_flight"], 1);
    assert_eq!(each["ledger"]["connections"], 1, "kept alive");
    assert_eq!(each["ledger"]["threads"], 1);
    assert_eq!(each["lanes"].as_array().map(Vec::len), Some(1));
    assert_eq!(each["lanes"][0]["kind"], "thread");
    for name in [
        "futures_are_lazy",
        "all_in_flight",
        "one_thread",
        "waits_overlap",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_trace_has_each_task_as_a_track_of_its_own() {
    let trace = traced(BINARY, &["--delay", "0.1", "--requests", "6"]);
    let named = events_of(&trace, "M").into_iter().filter(|event| {
        let name = event["args"]["name"].as_str();
        name.is_some_and(|name| name.starts_with("task "))
    });
    let tasks: BTreeSet<_> = named
        .map(|event| (event["pid"].as_u64(), event["tid"].as_u64()))
        .collect();
    assert_eq!(tasks.len(), 6);
    let fetches = events_of(&trace, "X").into_iter();
    let fetches: BTreeSet<_> = fetches
        .filter(|event| event["name"] == "fetch")
        .map(|event| (event["pid"].as_u64(), event["tid"].as_u64()))
        .collect();
    assert!(tasks.is_subset(&fetches));
    assert!(!events_of(&trace, "i").is_empty(), "when they were polled");
    assert!(
        !events_of(&trace, "C").is_empty(),
        "how many were in flight"
    );
}
