//! The binary as a user runs it.

use serde_json::Value;
use testing::{claim, run, variant};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-14-queue-producer-consumer");

/// Short pauses.
const SHORT: [&str; 4] = ["--shortest", "0.001", "--longest", "0.003"];

fn ledger(document: &Value, name: &str) -> [u64; 4] {
    let ledger = &variant(document, name)["ledger"];
    ["submitted", "done", "failed", "cancelled"].map(|count| ledger[count].as_u64().expect(count))
}

/// The numbers of the items that were taken, sorted.
fn taken(results: &Value) -> Vec<u64> {
    let handled = results["handled"].as_array().expect("a list").iter();
    let mut items: Vec<u64> = handled.filter_map(|one| one["item"].as_u64()).collect();
    items.sort_unstable();
    items
}

#[test]
fn each_item_is_consumed_once_and_depth_and_waits_are_in_the_document() {
    let document = run(BINARY, &[&SHORT[..], &["--json"]].concat())
        .well()
        .document();
    for (name, items, threads) in [
        ("sentinel × 1", 10, 3),
        ("closing × 1", 10, 3),
        ("eager × 1", 10, 3),
        ("sentinels × 3", 30, 5),
        ("closing × 3", 30, 5),
        ("eager × 3", 30, 5),
    ] {
        let results = &variant(&document, name)["results"];
        assert_eq!(taken(results), (1..=items).collect::<Vec<_>>(), "{name}");
        assert_eq!(ledger(&document, name), [items, items, 0, 0], "{name}");
        assert_eq!(
            variant(&document, name)["ledger"]["threads"],
            threads,
            "{name}"
        );
        let depth = results["depth"].as_array().expect("a list");
        assert!(
            depth.len() as u64 >= 3 * items,
            "put, taken and done: {name}"
        );
        assert!(
            depth.iter().all(|depth| depth["depth"].as_u64() <= Some(3)),
            "{name}"
        );
        let waits = results["blocked"].as_array().expect("a list").iter();
        let by_producer = waits.filter(|wait| wait["who"] == 0).map(|wait| {
            wait["to_s"].as_f64().expect("an end") - wait["from_s"].as_f64().expect("a start")
        });
        let told = results["producer_blocked_s"].as_f64().expect("a sum");
        assert!((by_producer.sum::<f64>() - told).abs() < 1e-9, "{name}");
    }
    for words in [
        "exactly once",
        "the queue is bounded",
        "in order",
        "one close for all",
    ] {
        assert_eq!(claim(&document, words)["verdict"], "shown", "{words}");
    }
}

#[test]
fn every_consumer_has_a_sentinel_of_its_own() {
    let arguments = [
        &SHORT[..],
        &["--json", "--consumers", "5", "--capacity", "1"],
    ]
    .concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(
        variant(&document, "sentinels × 5")["results"]["sentinels"],
        5
    );
    assert_eq!(variant(&document, "closing × 5")["results"]["sentinels"], 0);
    assert_eq!(ledger(&document, "sentinels × 5"), [50, 50, 0, 0]);
}

#[test]
fn a_consumer_that_panics_is_accounted_for_and_the_others_do_the_rest() {
    let document = run(BINARY, &[&SHORT[..], &["--json"]].concat())
        .well()
        .document();
    assert_eq!(ledger(&document, "panic"), [30, 29, 1, 0]);
    assert_eq!(claim(&document, "a consumer panicked")["verdict"], "shown");
}

#[test]
fn when_the_only_consumer_panics_the_producer_stops_and_the_rest_is_called_off() {
    let arguments = [&SHORT[..], &["--json", "--consumers", "1"]].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(ledger(&document, "panic"), [10, 4, 1, 5]);
    let put = variant(&document, "panic")["results"]["put"].as_u64();
    assert!(put < Some(10), "nobody made room: {put:?}");
    assert_eq!(
        claim(&document, "the only consumer panicked")["verdict"],
        "shown"
    );
}

#[test]
fn an_eager_producer_fills_the_queue_and_waits_unless_there_is_room_for_all() {
    let document = run(BINARY, &["--json", "--consumers", "1", "--items", "20"])
        .well()
        .document();
    assert_eq!(variant(&document, "eager × 1")["results"]["peak_depth"], 3);
    assert_eq!(claim(&document, "backpressure")["verdict"], "shown");
    let arguments = [
        &SHORT[..],
        &["--json", "--consumers", "1", "--capacity", "10"],
    ]
    .concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(
        variant(&document, "eager × 1")["results"]["producer_blocked_s"],
        0.0
    );
    let claim = claim(&document, "backpressure");
    assert_eq!(claim["verdict"], "not_shown");
    assert!(
        claim["reason"]
            .to_string()
            .contains("room for all 10 items")
    );
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let swapped = ["--shortest", "0.2", "--longest", "0.1"];
    let _ = run(BINARY, &swapped).refused(2, &["`--shortest 0.2`", "swap the two"]);
    let long = ["--items", "1000", "--consumers", "64"];
    let _ = run(BINARY, &long).refused(2, &["`--items 1000 --consumers 64", "lower one"]);
}
