//! The binary as a user runs it.

use testing::{assert_nothing_left_behind, run, variant};

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
