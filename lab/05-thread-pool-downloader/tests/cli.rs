//! The binary as a user runs it.

use common::{
    http::{Server, ServerConfig},
    testing::{
        assert_bad_requests_refused, assert_failures_told, assert_nothing_left_behind,
        assert_refusal_told, run, variant,
    },
};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-05-thread-pool-downloader");

/// The values of `field` over the results of a variant, in the order of completion.
fn completed(variant: &Value, field: &str) -> Vec<u64> {
    let completed = variant["results"]["completed"].as_array();
    let completed = completed.expect("a list of results").iter();
    completed
        .map(|one| one[field].as_u64().expect("a number"))
        .collect()
}

#[test]
fn the_pool_s_size_is_the_limit_and_the_server_is_the_witness() {
    let arguments = [
        "--json",
        "--delay",
        "0.5",
        "--requests",
        "7",
        "--workers",
        "3",
    ];
    let document = run(BINARY, &arguments).well().document();
    let pool = variant(&document, "pool of 3");
    assert_eq!(pool["ledger"]["peak_in_flight"], 3);
    assert_eq!(pool["ledger"]["connections"], 3, "kept alive");
    assert_eq!(pool["ledger"]["threads"], 4, "three and the main thread");
    assert_eq!(pool["ledger"]["done"], 7);
    assert!(pool["wall_s"].as_f64() >= Some(1.5), "three waves");
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["peak_in_flight"], 1);
    assert_eq!(sequential["ledger"]["threads"], 1);
    assert_eq!(completed(sequential, "number"), [1, 2, 3, 4, 5, 6, 7]);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn ten_equal_urls_are_ten_pages() {
    let finished = run(BINARY, &["--delay", "0.02"]).well();
    finished.tells(&[
        "pool of 10: Downloaded 10 pages",
        "URL #10: status 200",
        "  10. URL #",
        "bytes; ahead of one asked for earlier: ",
        "sequential: elapsed",
        "pool of 10: elapsed",
        "✓ shown: each request has a page of its own",
    ]);
}

#[test]
fn the_first_to_complete_comes_first_under_its_own_number() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server in this process");
    let (slow, quick) = (
        server.url("delay/2").to_string(),
        server.url("get").to_string(),
    );
    let document = run(BINARY, &["--json", "--url", &slow, "--url", &quick])
        .well()
        .document();
    assert_eq!(
        completed(variant(&document, "sequential"), "number"),
        [1, 2]
    );
    let pool = variant(&document, "pool of 10");
    assert_eq!(completed(pool, "number"), [2, 1]);
    assert_eq!(completed(pool, "place"), [1, 2]);
    assert_eq!(pool["results"]["overtaking"], 1);
}

#[test]
fn unequal_waits_run_on_half_the_threads_too() {
    let arguments = [
        "--json",
        "--spread",
        "--requests",
        "4",
        "--delay",
        "1.2",
        "--workers",
        "4",
    ];
    let document = run(BINARY, &arguments).well().document();
    for (name, workers) in [("pool of 2", 2), ("pool of 4", 4)] {
        let pool = variant(&document, name);
        assert!(
            pool["ledger"]["peak_in_flight"].as_u64() <= Some(workers),
            "{pool}"
        );
        assert!(
            pool["wall_s"].as_f64() >= pool["bound_s"].as_f64(),
            "{pool}"
        );
        let mut numbers = completed(pool, "number");
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }
    let bound = variant(&document, "pool of 2")["bound_s"].as_f64();
    assert!(
        bound.is_some_and(|bound| (bound - 1.5).abs() < 1e-6),
        "3 s of waits, two at a time: {bound:?}"
    );
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for bad in ["0", "-1", "513", "100000", "many"] {
        let _ = run(BINARY, &["--workers", bad]).refused(2, &[bad, "--workers"]);
    }
    let _ =
        run(BINARY, &["--spread", "--url", "http://127.0.0.1/"]).refused(2, &["--spread", "--url"]);
}

#[test]
fn a_failed_request_is_told_and_the_others_are_kept() {
    let server = Server::in_process(0, ServerConfig::default()).expect("a server in this process");
    let (well, broken) = (
        server.url("get").to_string(),
        server.url("status/500").to_string(),
    );
    let finished = run(BINARY, &["--json", "--url", &broken, "--url", &well]);
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("answered 500"),
        "{}",
        finished.stderr
    );
    let document = finished.document();
    let pool = variant(&document, "pool of 10");
    assert_eq!(pool["ledger"]["done"], 1);
    assert_eq!(pool["ledger"]["failed"], 1);
    assert_eq!(pool["results"]["pages"], 1);
}

#[test]
fn a_late_answer_is_one_line_per_variant() {
    let arguments = ["--requests", "2", "--delay", "9", "--timeout", "0.1"];
    let finished = run(BINARY, &arguments);
    assert_eq!(finished.code, Some(1));
    assert_eq!(finished.stderr.lines().count(), 2, "{}", finished.stderr);
    assert!(finished.stderr.contains("--timeout"), "{}", finished.stderr);
    finished.tells(&["Downloaded 0 pages"]);
}

#[test]
fn bad_values_and_servers_that_fail_are_told_in_a_line() {
    let variants = ["sequential", "pool of 10"];
    assert_bad_requests_refused(BINARY);
    assert_failures_told(BINARY, &variants);
    assert_refusal_told(BINARY, &variants);
}
