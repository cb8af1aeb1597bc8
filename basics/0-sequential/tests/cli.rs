//! The binary as a user runs it.

use testing::{run, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_basics-0-sequential");

#[test]
fn the_sums_of_the_script_are_in_the_document() {
    let document = run(BINARY, &["--scale", "1", "--json"]).well().document();
    let sums = &variant(&document, "sequential")["results"];
    assert_eq!(sums[3]["total"], "21333332533333340000000");
    assert_eq!(variant(&document, "sequential")["ledger"]["done"], 4);
}

#[test]
fn one_thread_does_the_work_and_the_timeline_has_its_four_jobs() {
    let document = run(BINARY, &["--scale", "0.1", "--json"]).well().document();
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["threads"], 1);
    assert_eq!(sequential["lanes"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        sequential["lanes"][0]["spans"].as_array().map(Vec::len),
        Some(4)
    );
}
