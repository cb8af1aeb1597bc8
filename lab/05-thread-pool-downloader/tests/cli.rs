//! The binary as a user runs it.

use serde_json::Value;

use testing::{assert_nothing_left_behind, run, variant, verdict};
use web::{Server, ServerConfig};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-05-thread-pool-downloader");

/// The numbers of the requests of a variant, in the order of completion.
fn completed(variant: &Value) -> Vec<u64> {
    let completed = variant["results"].as_array().expect("a list of results");
    let numbers = completed.iter().map(|one| one[0].as_u64());
    numbers.map(|number| number.expect("a number")).collect()
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
    assert_eq!(
        sequential["ledger"]["threads"], 2,
        "one and the main thread"
    );
    assert_eq!(completed(sequential), [1, 2, 3, 4, 5, 6, 7]);
    assert_nothing_left_behind(BINARY);
}

#[test]
fn ten_equal_urls_are_ten_pages() {
    let document = run(BINARY, &["--json", "--delay", "0.02"])
        .well()
        .document();
    let pool = variant(&document, "pool of 5");
    assert_eq!(pool["figures"]["pages_kept"][0], 10.0);
    assert_eq!(verdict(&document, "each_its_own_result"), "shown");
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
    assert_eq!(completed(variant(&document, "sequential")), [1, 2]);
    let pool = variant(&document, "pool of 5");
    assert_eq!(completed(pool), [2, 1]);
    let overtakes = &pool["figures"]["pages_right_before_one_asked_for_earlier"];
    assert_eq!(overtakes[0], 1.0);
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
        let mut numbers = completed(pool);
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }
    let bound = variant(&document, "pool of 2")["bound_s"].as_f64();
    assert!(
        bound.is_some_and(|bound| (1.5..2.0).contains(&bound)),
        "3 s of waits, two at a time: {bound:?}"
    );
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let both = ["--spread", "--url", "http://127.0.0.1/"];
    let _ = run(BINARY, &both).refused(2, &["--spread", "--url"]);
}

#[test]
fn waits_that_a_server_left_out_are_not_claimed() {
    // What lies below this path answers at once.
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let at_once = server.url("anything").to_string();
    let flags = ["--json", "--delay", "0.5", "--base-url", &at_once];
    let document = run(BINARY, &flags).well().document();
    assert_eq!(verdict(&document, "takes_its_waits"), "not_shown");
    assert_eq!(verdict(&document, "each_its_own_result"), "shown");
}

#[test]
fn equal_waits_are_not_claimed_to_be_unequal() {
    // What lies below this path answers at once.
    let server = Server::in_process(0, ServerConfig::default()).expect("a free port");
    let at_once = server.url("anything").to_string();
    let flags = "--json --spread --requests 4 --workers 9 --delay 0.3 --base-url";
    let flags: Vec<&str> = flags.split(' ').chain([&*at_once]).collect();
    let document = run(BINARY, &flags).well().document();
    assert_eq!(verdict(&document, "half_the_threads_do"), "not_shown");
}

#[test]
fn requests_that_timed_out_say_nothing_of_waits() {
    let flags = "--json --spread --requests 4 --workers 3 --delay 9 --timeout 0.1";
    let finished = run(BINARY, &flags.split(' ').collect::<Vec<_>>());
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let document = finished.document();
    for name in ["half_the_threads_do", "waits_overlap", "another_order"] {
        assert_eq!(verdict(&document, name), "not_shown", "{name}");
    }
}

#[test]
fn a_spread_that_nobody_answers_has_no_bound_that_it_beats() {
    let flags = "--json --spread --base-url http://127.0.0.1:9";
    let finished = run(BINARY, &flags.split(' ').collect::<Vec<_>>());
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let document = finished.document();
    for name in ["sequential", "pool of 5", "pool of 10"] {
        let efficiency = variant(&document, name)["efficiency"].as_f64();
        assert!(
            efficiency.is_none_or(|ratio| ratio <= 1.0),
            "{efficiency:?}"
        );
    }
}
