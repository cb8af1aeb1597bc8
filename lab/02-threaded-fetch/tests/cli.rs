//! The binary as a user runs it.

use testing::{
    assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
    assert_overlap_needs_waits, assert_refusal_told, run, variant,
};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-02-threaded-fetch");

#[test]
fn every_thread_waits_at_once_and_the_server_is_the_witness() {
    let document = run(BINARY, &["--json", "--delay", "0.2", "--requests", "6"])
        .well()
        .document();
    let threaded = variant(&document, "threaded");
    assert_eq!(threaded["ledger"]["peak_in_flight"], 6);
    assert_eq!(threaded["ledger"]["done"], 6);
    assert_eq!(threaded["ledger"]["threads"], 7, "six and the main thread");
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["peak_in_flight"], 1);
    assert_eq!(sequential["ledger"]["connections"], 1, "kept alive");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_report_tells_each_length_and_the_time() {
    let finished = run(BINARY, &["--delay", "0.05", "--requests", "3"]).well();
    finished.tells(&[
        "URL #3: status 200",
        "bytes",
        "threaded: elapsed",
        "in flight",
        "✓ shown",
    ]);
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["sequential", "threaded"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}

#[test]
fn less_time_alone_is_no_overlap() {
    assert_overlap_needs_waits(BINARY, "threaded");
}
