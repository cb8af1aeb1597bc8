//! The binary as a user runs it.

use testing::{
    assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
    assert_refusal_told, run, variant,
};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-2-single-threaded");

#[test]
fn four_requests_go_one_at_a_time_over_one_connection() {
    let finished = run(BINARY, &["--json", "--delay", "0.2"]).well();
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["done"], 4);
    assert_eq!(single["ledger"]["peak_in_flight"], 1);
    assert_eq!(single["ledger"]["connections"], 1, "kept alive");
    assert_eq!(single["ledger"]["threads"], 1);
    assert_eq!(single["bound_s"], 0.8);
    assert_eq!(single["lanes"].as_array().map(Vec::len), Some(1));
    let spans = single["lanes"][0]["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 4);
    let at = |span: usize, end: &str| spans[span][end].as_f64().expect("seconds");
    assert!((1..4).all(|next| at(next - 1, "end_s") <= at(next, "start_s")));
    assert_eq!(document["claims"][0]["verdict"], "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_report_tells_each_status_and_length_and_the_time() {
    let finished = run(BINARY, &["--delay", "0.05"]).well();
    finished.tells(&[
        "URL #1: status 200",
        "URL #4: status 200",
        "bytes",
        "single-threaded: elapsed",
        "4 waits of 50.0 ms in a row",
        "✓ shown: never more than one request was in flight",
    ]);
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["single-threaded"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}
