//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-12-race-conditions");
const QUICK: [&str; 4] = ["--increments", "2000", "--trials", "4"];

fn json(args: &[&str]) -> Value {
    let args: Vec<&str> = ["--json"].iter().chain(args).copied().collect();
    run(BINARY, &args).well().document()
}

/// A figure that was noted once.
fn figure(document: &Value, name: &str, figure: &str) -> Option<u64> {
    let value = variant(document, name)["figures"][figure][0].as_f64()?;
    Some(value as u64)
}

#[test]
fn every_order_is_tried_and_each_race_has_bad_ones_and_no_repair() {
    let document = json(&QUICK);
    for (race, failing) in [("counter", 4), ("account", 4), ("audit", 2)] {
        let orders = |what: &str| figure(&document, race, what);
        assert_eq!(orders("orders_that_go_wrong"), Some(failing), "{race}");
        assert_eq!(orders("repaired_orders_that_go_wrong"), Some(0), "{race}");
    }
    for always in [
        "repairs_hold_in_trials",
        "orders_break_each_race",
        "orders_show_what_trials_miss",
        "no_order_breaks_a_repair",
    ] {
        assert_eq!(verdict(&document, always), "shown", "{always}");
    }
    run(BINARY, &QUICK).well().tells(&[
        "AABB   A loads 0, A stores 1, B loads 1, B stores 2",
        "BBAA   B loads 0, B stores 1, A loads 1, A stores 2",
    ]);
}

#[test]
fn with_the_scripts_numbers_the_widened_window_loses_in_every_trial() {
    let document = json(&["--trials", "3"]);
    assert_eq!(verdict(&document, "widened_window_loses"), "shown");
    let counter = variant(&document, "counter");
    let ledger = &counter["ledger"];
    assert_eq!((&ledger["done"], &ledger["failed"]), (&9.into(), &0.into()));
    // Four for each of the three ways, and the one that starts them.
    assert_eq!(ledger["threads"], 13);
    assert_eq!(
        counter["results"][2],
        serde_json::json!([400_000, 400_000, 400_000])
    );
}

#[test]
fn an_order_is_forced_as_written() {
    let document = json(&["--schedule", "ABCCBA"]);
    let played = &variant(&document, "forced")["results"][0];
    assert_eq!(played["schedule"], "ABCCBA");
    assert_eq!(played["result"], 1);
    assert_eq!(variant(&document, "forced")["ledger"]["threads"], 4);
    assert_eq!(verdict(&document, "order_is_forced"), "shown");
    run(BINARY, &["--schedule", "abba"]).well().tells(&[
        "1. A loads 0\n  2. B loads 0\n  3. B stores 1\n  4. A stores 1",
        "Expected: 2, Got: 1",
    ]);
}

#[test]
fn a_single_thread_loses_nothing_and_the_reason_is_given() {
    let document = json(&["--threads", "1", "--increments", "100"]);
    assert_eq!(verdict(&document, "widened_window_loses"), "not_shown");
    let alone = &variant(&document, "counter")["results"];
    assert_eq!(alone[0], serde_json::json!(vec![100; 20]));
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for flag in ["--threads", "--increments", "--trials"] {
        for bad in ["0", "-1", "100000000", "many"] {
            let _ = run(BINARY, &[flag, bad]).refused(2, &[&format!("`{bad}`"), flag]);
        }
    }
    for (bad, why) in [
        ("", "2 to 64 letters"),
        ("ABB", "`A` is there 1×"),
        ("AABBBB", "each thread takes as many steps"),
        ("ACCA", "`B` is there 0×"),
        ("AB!A", "`!` is no thread"),
    ] {
        let _ = run(BINARY, &["--schedule", bad]).refused(2, &["--schedule", why]);
    }
    let both = ["--schedule", "ABBA", "--threads", "2"];
    let _ = run(BINARY, &both).refused(2, &["--schedule", "--threads"]);
    let all = ["--threads", "64", "--increments", "10000000"];
    let _ = run(BINARY, &all).refused(2, &["12,800,000,000 increments", "lower one"]);
}
