//! The binary as a user runs it.

use std::collections::BTreeSet;
use testing::{
    assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
    assert_overlap_needs_waits, assert_refusal_told, events_of, run, traced, variant,
};

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
    let params = &document["params"];
    assert_eq!(params["futures_never_awaited"], 8);
    assert_eq!(params["requests_from_futures_never_awaited"], 0);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_report_tells_each_length_and_the_time() {
    let finished = run(BINARY, &["--delay", "0.05", "--requests", "3"]).well();
    finished.tells(&[
        "futures made: 3, in ",
        "awaited: 0; requests the server saw: 0",
        "URL #3: status 200",
        "Downloaded 3 pages",
        "tasks: elapsed",
        "✓ shown: one thread did it all",
    ]);
}

#[test]
fn an_answer_that_is_late_is_a_failure_per_request_and_one_line_per_variant() {
    let arguments = ["--delay", "5", "--requests", "2", "--timeout", "0.1"];
    let finished = run(BINARY, &arguments);
    assert_eq!(finished.code, Some(1));
    assert_eq!(finished.stderr.lines().count(), 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("--timeout"), "{}", finished.stderr);
    finished.tells(&["Downloaded 0 pages"]);
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["await in a loop", "tasks"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}

#[test]
fn less_time_alone_is_no_overlap() {
    assert_overlap_needs_waits(BINARY, "tasks");
}

#[test]
fn a_trace_has_each_task_as_a_track_of_its_own() {
    let trace = traced(BINARY, &["--delay", "0.1", "--requests", "6"]);
    let begun = events_of(&trace, "b");
    let outermost = begun.iter().filter(|event| {
        event["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("tasks: task "))
    });
    let tracks: BTreeSet<_> = outermost.map(|event| event["id"].to_string()).collect();
    assert_eq!(tracks.len(), 6);
    assert!(
        begun.iter().any(|event| event["name"] == "fetch"),
        "inside of them"
    );
    assert!(!events_of(&trace, "n").is_empty(), "when they were polled");
    assert!(
        !events_of(&trace, "C").is_empty(),
        "how many were in flight"
    );
}
