//! The binary as a user runs it.

use testing::{
    assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
    assert_overlap_needs_waits, assert_refusal_told, run, variant,
};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-3-multi-threaded");

#[test]
fn four_requests_are_in_flight_at_once_and_the_server_is_the_witness() {
    let finished = run(BINARY, &["--json", "--delay", "0.5"]).well();
    let document = finished.document();
    let single = variant(&document, "single-threaded");
    assert_eq!(single["ledger"]["peak_in_flight"], 1);
    assert_eq!(single["ledger"]["connections"], 1, "kept alive");
    assert_eq!(single["ledger"]["threads"], 1);
    let multi = variant(&document, "multi-threaded");
    assert_eq!(multi["ledger"]["peak_in_flight"], 4);
    assert_eq!(multi["ledger"]["done"], 4);
    assert_eq!(multi["ledger"]["threads"], 5, "four and the main thread");
    assert_eq!(multi["lanes"].as_array().map(Vec::len), Some(4));
    assert_eq!(document["params"]["workers"], 4);
    assert_eq!(document["claims"][0]["verdict"], "shown");
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
fn a_pool_of_one_overlaps_nothing_and_the_report_says_why() {
    let finished = run(BINARY, &["--delay", "0.1", "--workers", "1"]).well();
    finished.tells(&[
        "threads in the pool: 1",
        "URL #1: status 200",
        "URL #4: status 200",
        "bytes",
        "multi-threaded: elapsed",
        "in flight",
        "✗ not shown here: the waits overlapped",
        "because nothing could overlap: requests 4, threads in the pool 1",
    ]);
}

#[test]
fn a_bad_number_of_workers_is_one_line_and_exit_code_2() {
    for bad in ["0", "-1", "100000", "many"] {
        let quoted = format!("`{bad}`");
        let _ = run(BINARY, &["--workers", bad]).refused(2, &[&quoted, "--workers", "1 to 512"]);
    }
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["single-threaded", "multi-threaded"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}

/// Each thread reserves its stack: 512 of them do not fit into 400 MB of addresses.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_do_not_start_are_one_line_and_the_first_variant_is_kept() {
    let limited = "ulimit -v 400000 && exec \"$0\" --workers 512 --delay 0.01";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited, BINARY]);
    let finished = testing::run_command(command)
        .refused(1, &["cannot start a pool of `512` threads", "--workers"]);
    finished.has_row(&["single-threaded", "4"]);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn less_time_alone_is_no_overlap() {
    assert_overlap_needs_waits(BINARY, "multi-threaded");
}
