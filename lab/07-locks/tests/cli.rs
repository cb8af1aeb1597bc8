//! The binary as a user runs it.

use testing::{claim, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-07-locks");

#[test]
fn every_repair_gets_what_was_expected_on_its_workers() {
    let arguments = ["--json", "--increments", "100_000"];
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(verdict(&document, "repairs_are_right"), "shown");
    for name in ["Mutex", "fetch_add", "sum at the end", "queue"] {
        let variant = variant(&document, name);
        assert_eq!(variant["results"], 200_000, "{name}");
        assert_eq!(variant["ledger"]["threads"], 3, "{name}");
    }
}

#[test]
fn the_variants_take_turns_and_what_the_race_lost_is_counted_in_each() {
    let flags = ["--rounds", "2", "--threads", "4", "--increments", "5000"];
    let document = run(BINARY, &[&flags[..], &["--json"]].concat());
    let document = document.well().document();
    let racy = variant(&document, "racy");
    assert_eq!(racy["runs"], 2);
    for round in 0..2 {
        let figure = |name: &str| racy["figures"][name][round].as_f64();
        let sum = figure("counted").zip(figure("lost_updates"));
        assert_eq!(sum.map(|(got, lost)| got + lost), Some(20_000.0));
    }
    assert_eq!(verdict(&document, "race_loses"), "shown", "by construction");
}

#[test]
fn a_worker_is_one_span_however_often_it_takes_the_lock() {
    let flags = ["--json", "--increments", "100_000", "--threads", "3"];
    let document = run(BINARY, &flags).well().document();
    let lanes = variant(&document, "Mutex")["lanes"].as_array();
    let lanes = lanes.expect("a variant has lanes");
    assert_eq!(lanes.len(), 3);
    for lane in lanes {
        assert_eq!(lane["spans"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--threads", "64", "--increments", "100_000_000"];
    let _ = run(BINARY, &all).refused(2, &["19,200,000,000 increments", "lower one"]);
}

#[test]
fn too_few_increments_make_no_way_faster() {
    let flags = ["--json", "--increments", "1", "--threads", "4"];
    let document = run(BINARY, &flags).well().document();
    for name in ["lock_has_a_price", "atomic_is_cheaper", "apart_is_cheapest"] {
        let text = claim(&document, name)["text"].as_str().map(str::to_owned);
        let text = text.expect("a sentence");
        assert!(text.contains(": whether `"), "{text}");
    }
}
