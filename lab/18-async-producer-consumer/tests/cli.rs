//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-18-async-producer-consumer");
/// Making takes no time and consuming does, so that the queue fills on any machine.
const QUICK: [&str; 6] = ["--make", "0", "--least", "0.01", "--most", "0.02"];

fn document(flags: &[&str]) -> Value {
    let mut flags = [&QUICK[..], &["--json"], flags].concat();
    if !flags.contains(&"--work") {
        flags.extend(["--work", "100_000"]);
    }
    run(BINARY, &flags).well().document()
}

fn figure(document: &Value, name: &str, figure: &str) -> f64 {
    let value = &variant(document, name)["figures"][figure][0];
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {figure}: {value}"))
}

#[test]
fn the_bound_holds_the_producer_back_and_nothing_is_lost() {
    let document = document(&["--queue", "4", "--items", "20"]);
    for name in ["unbounded", "bounded", "never awaits", "awaits"] {
        assert_eq!(variant(&document, name)["ledger"]["done"], 20, "{name}");
        assert_eq!(variant(&document, name)["ledger"]["threads"], 1, "{name}");
    }
    assert_eq!(figure(&document, "bounded", "most_items_queued"), 4.0);
    assert!(figure(&document, "unbounded", "most_items_queued") > 10.0);
    for name in [
        "unbounded_grows",
        "bound_holds",
        "producer_waits",
        "each_once",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn no_item_is_finished_while_a_task_never_awaits() {
    let document = document(&["--work", "200_000_000"]);
    for name in ["hog_takes_every_turn", "yielding_shares"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn each_stop_accounts_for_every_item() {
    for consumers in ["1", "3"] {
        let document = document(&["--consumers", consumers]);
        for name in ["abrupt_stop_loses", "graceful_stop_loses_none"] {
            assert_eq!(verdict(&document, name), "shown", "{name}");
        }
    }
}

#[test]
fn what_has_nothing_to_show_says_so() {
    let document = document(&["--items", "1", "--work", "1"]);
    for name in [
        "unbounded_grows",
        "producer_waits",
        "hog_takes_every_turn",
        "yielding_shares",
        "gap",
        "abrupt_stop_loses",
        "graceful_stop_loses_none",
    ] {
        assert_eq!(verdict(&document, name), "not_shown", "{name}");
    }
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let crossed = ["--least", "0.2", "--most", "0.1"];
    let _ = run(BINARY, &crossed).refused(2, &["`--least 0.2 --most 0.1`", "raise"]);
}
