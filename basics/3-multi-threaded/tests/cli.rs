//! The binary as a user runs it.

use testing::{assert_nothing_left_behind, claim, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-3-multi-threaded");

#[test]
fn four_requests_are_in_flight_at_once_and_the_server_is_the_witness() {
    let finished = run(BINARY, &["--json", "--delay", "0.5"]).well();
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["peak_in_flight"], 1);
    assert_eq!(single["ledger"]["connections"], 1, "kept alive");
    assert_eq!(single["ledger"]["threads"], 2, "one and the main thread");
    let multi = variant(&document, "multi-threaded");
    assert_eq!(multi["ledger"]["peak_in_flight"], 4);
    assert_eq!(multi["ledger"]["done"], 4);
    assert_eq!(multi["ledger"]["threads"], 5, "four and the main thread");
    assert_eq!(multi["lanes"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["params"]["workers"], 4);
    for name in [
        "as_many_in_flight_as_threads",
        "only_its_threads",
        "waits_overlap",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn more_requests_than_threads_go_in_waves() {
    let arguments = [
        "--json",
        "--delay",
        "0.3",
        "--requests",
        "5",
        "--workers",
        "3",
    ];
    let document = run(BINARY, &arguments).well().document();
    let multi = variant(&document, "multi-threaded");
    assert_eq!(multi["bound_s"], 0.6);
    assert_eq!(
        multi["bound_reason"],
        "2 waves of 300 ms: 5 waits, 3 at a time"
    );
    assert!(multi["wall_s"].as_f64() >= Some(0.6), "{}", multi["wall_s"]);
    assert!(multi["ledger"]["peak_in_flight"].as_u64() <= Some(3));
    assert_eq!(multi["ledger"]["done"], 5);
}

#[test]
fn a_pool_of_one_overlaps_nothing() {
    let arguments = ["--json", "--delay", "0.1", "--workers", "1"];
    let document = run(BINARY, &arguments).well().document();
    let overlap = claim(&document, "waits_overlap");
    assert_eq!(overlap["verdict"], "not_shown");
    assert_eq!(
        overlap["reason"],
        "with one request at a time nothing could overlap"
    );
    assert_eq!(verdict(&document, "takes_its_waits"), "shown");
}
