//! The binary as a user runs it.

use serde_json::Value;
use testing::{assert_nothing_left_behind, claim, run, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-1-multiprocess");

/// How many spans of this name the variant's worker processes have.
fn spans(variant: &Value, name: &str) -> usize {
    let lanes = variant["lanes"].as_array().expect("lanes");
    let processes = lanes.iter().filter(|lane| lane["kind"] == "process");
    let spans = processes.flat_map(|lane| lane["spans"].as_array().expect("spans"));
    spans.filter(|span| span["name"] == name).count()
}

#[test]
fn the_sums_of_the_script_are_in_the_document_for_both_orders() {
    let document = run(BINARY, &["--scale", "1", "--rounds", "1", "--json"])
        .well()
        .document();
    for name in ["in order", "longest first"] {
        let sums = &variant(&document, name)["results"];
        assert_eq!(sums[0]["Ok"]["n"], 10_000_000, "{name}");
        assert_eq!(sums[3]["Ok"]["total"], "21333332533333340000000", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn each_pool_is_its_own_and_its_workers_do_all_the_work() {
    let document = run(
        BINARY,
        &[
            "--scale",
            "0.1",
            "--workers",
            "3",
            "--rounds",
            "2",
            "--json",
        ],
    );
    let document = document.well().document();
    for name in ["in order", "longest first"] {
        let pooled = variant(&document, name);
        assert_eq!(pooled["runs"], 2);
        assert_eq!(pooled["ledger"]["processes"], 4, "three and this one");
        assert_eq!(pooled["ledger"]["done"], 4);
        assert_eq!(spans(pooled, "start-up"), 3);
        // Each task is a span around the one that the sum itself records.
        assert_eq!(spans(pooled, "sum"), 2 * 4);
    }
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["processes"], 1);
    assert_eq!(spans(sequential, "sum"), 0);
}

#[test]
fn a_single_worker_shows_the_order_of_hand_out() {
    let arguments = ["--scale", "2", "--workers", "1", "--rounds", "1", "--json"];
    let document = run(BINARY, &arguments).well().document();
    // CPU time, not wall time, and jobs that differ by four: more than a machine's moods.
    let first_and_last = |name: &str| {
        let spans = &variant(&document, name)["lanes"][0]["spans"];
        let spans = spans.as_array().expect("spans").iter();
        let sums: Vec<f64> = spans
            .filter(|span| span["name"] == "sum")
            .filter_map(|span| span["busy_s"].as_f64())
            .collect();
        (sums[0], sums[sums.len() - 1])
    };
    let (first, last) = first_and_last("in order");
    assert!(first < last, "10 before 40: {first} s, {last} s");
    let (first, last) = first_and_last("longest first");
    assert!(first > last, "40 before 10: {first} s, {last} s");
}

#[test]
fn four_workers_attain_what_the_longest_job_allows_in_either_order() {
    let arguments = [
        "--scale",
        "0.1",
        "--workers",
        "4",
        "--rounds",
        "1",
        "--json",
    ];
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(
        claim(&document, "longest_first_is_faster")["reason"],
        "with --workers 4 either order can reach 2.50 ×"
    );
}
