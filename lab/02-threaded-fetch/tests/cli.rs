//! The binary as a user runs it.

use common::testing::{assert_nothing_left_behind, run, variant};

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
    for words in [
        "URL #3: status 200",
        "bytes",
        "threaded: elapsed",
        "in flight",
        "✓ shown",
    ] {
        assert!(
            finished.stdout.contains(words),
            "`{words}` in {}",
            finished.stdout
        );
    }
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    let _ = run(BINARY, &["--requests", "0"]).refused(2, &["`0`", "--requests"]);
    let _ = run(BINARY, &["--delay", "-1"]).refused(2, &["`-1`", "--delay"]);
    let _ = run(BINARY, &["--url", "no url"]).refused(2, &["`no url`", "--url"]);
}

#[test]
fn a_port_that_refuses_fails_the_run_with_one_line_per_variant() {
    let finished = run(BINARY, &["--json", "--url", "http://127.0.0.1:9/"]);
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stderr.contains("`http://127.0.0.1:9/`"),
        "{}",
        finished.stderr
    );
    let document = finished.document();
    assert_eq!(variant(&document, "threaded")["ledger"]["failed"], 1);
}
