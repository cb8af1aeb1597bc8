//! The binary as a user runs it.

use serde_json::Value;
use testing::{claim, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-14-queue-producer-consumer");

/// Short pauses.
const SHORT: [&str; 4] = ["--shortest", "0.001", "--longest", "0.003"];

fn document(arguments: &[&str]) -> Value {
    let arguments = [&["--json"], arguments].concat();
    run(BINARY, &arguments).well().document()
}

fn ledger(document: &Value, name: &str) -> [u64; 4] {
    let ledger = &variant(document, name)["ledger"];
    ["submitted", "done", "failed", "cancelled"].map(|count| ledger[count].as_u64().expect(count))
}

#[test]
fn each_item_is_handled_once_and_every_depth_is_in_the_document() {
    let document = document(&SHORT);
    for (name, items, threads) in [
        ("sentinel × 1", 10, 3),
        ("closing × 1", 10, 3),
        ("eager × 1", 10, 3),
        ("sentinels × 3", 30, 5),
        ("closing × 3", 30, 5),
        ("eager × 3", 30, 5),
    ] {
        let variant = variant(&document, name);
        assert_eq!(ledger(&document, name), [items, items, 0, 0], "{name}");
        assert_eq!(variant["ledger"]["threads"], threads, "{name}");
        let queued = &variant["counters"][0];
        assert_eq!(queued["name"], "items queued", "{name}");
        assert!(!queued["samples"].as_array().expect("a list").is_empty());
    }
    for name in [
        "each_item_once",
        "queue_is_bounded",
        "in_order",
        "all_consumers_ended",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn every_consumer_has_a_sentinel_of_its_own() {
    let document = document(&[&SHORT[..], &["--consumers", "5", "--capacity", "1"]].concat());
    assert_eq!(ledger(&document, "sentinels × 5"), [50, 50, 0, 0]);
    assert_eq!(verdict(&document, "all_consumers_ended"), "shown");
}

#[test]
fn a_consumer_that_panics_is_accounted_for_and_the_others_do_the_rest() {
    let finished = run(BINARY, &SHORT).well();
    assert_eq!(finished.stderr, "", "a panic that is meant is not printed");
    let document = document(&SHORT);
    assert_eq!(ledger(&document, "panic"), [30, 29, 1, 0]);
    assert_eq!(verdict(&document, "panic_accounted_for"), "shown");
}

#[test]
fn when_the_only_consumer_panics_the_rest_is_cancelled() {
    let document = document(&[&SHORT[..], &["--consumers", "1"]].concat());
    assert_eq!(ledger(&document, "panic"), [10, 4, 1, 5]);
    assert_eq!(verdict(&document, "panic_accounted_for"), "shown");
}

#[test]
fn an_eager_producer_fills_the_queue_and_waits_unless_there_is_room_for_all() {
    let full = document(&["--consumers", "1", "--items", "20"]);
    assert_eq!(
        variant(&full, "eager × 1")["figures"]["most_items_queued"],
        serde_json::json!([3.0])
    );
    assert_eq!(verdict(&full, "backpressure"), "shown");
    let roomy = document(&[&SHORT[..], &["--consumers", "1", "--capacity", "11"]].concat());
    let claim = claim(&roomy, "backpressure");
    assert_eq!(claim["verdict"], "not_shown");
    assert_eq!(claim["reason"], "the queue has room for all 10 items");
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for flag in ["--consumers", "--items", "--capacity"] {
        let _ = run(BINARY, &[flag, "0"]).refused(2, &["`0`", flag]);
    }
    let swapped = ["--shortest", "0.2", "--longest", "0.1"];
    let _ = run(BINARY, &swapped).refused(2, &["`--shortest 0.2`", "swap the two"]);
}
