//! The binary as a user runs it.

use serde_json::Value;
use testing::{assert_nothing_left_behind, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-13-locks-and-rlock");

/// Enough to see that all is counted.
const SHORT: [&str; 4] = ["--increments", "20_000", "--rounds", "2"];

/// As long as a test waits for anything: the machine may be busy.
const PATIENT: [&str; 2] = ["--patience", "60"];

const WAYS: [&str; 7] = [
    "not shared",
    "fetch_add",
    "Mutex",
    "parking_lot",
    "ReentrantMutex",
    "RwLock, write",
    "RwLock, read",
];

#[test]
fn the_document_has_every_cost_by_round_and_the_shape() {
    let arguments = [&SHORT[..], &PATIENT, &["--json", "--threads", "4"]].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(document["params"]["threads"], serde_json::json!([1, 2, 4]));
    assert_eq!(document["params"]["lost"], 0);
    for name in WAYS {
        let results = &variant(&document, name)["results"];
        assert_eq!(results["got"], 20_000, "{name}");
        let ledger = &variant(&document, name)["ledger"];
        assert_eq!(
            (&ledger["done"], &ledger["failed"]),
            (&20_000.into(), &0.into())
        );
        assert_eq!(ledger["threads"], 5, "{name}: four and the main thread");
        for on in ["on_1_thread_s", "on_2_threads_s", "on_4_threads_s"] {
            let costs = &document["params"]["cost"][format!("{}_{on}", name.replace(' ', "_"))];
            let costs = costs.as_array().expect("a list of rounds");
            assert_eq!(costs.len(), 2, "{name} {on}");
            assert!(costs.iter().all(|cost| cost.as_f64() > Some(0.0)));
        }
        let scaling = &document["params"]["scaling"][name];
        assert_eq!(scaling["times_the_first"][0], 1.0);
        assert_eq!(scaling["times_the_first"].as_array().map(Vec::len), Some(3));
        assert!(scaling["shape"].is_string());
    }
    assert_eq!(verdict(&document, "each increment was counted"), "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn each_deadlock_is_found_and_named_and_the_kept_order_goes_through() {
    let arguments = [&SHORT[..], &PATIENT, &["--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for (name, counts) in [
        ("self-deadlock", [2, 0, 0, 2]),
        ("opposite order", [2, 0, 0, 2]),
        ("same order", [2, 2, 0, 0]),
    ] {
        let ledger = &variant(&document, name)["ledger"];
        let told = ["submitted", "done", "failed", "cancelled"].map(|name| &ledger[name]);
        assert_eq!(told, counts, "{name}");
        assert_eq!(ledger["processes"], 2, "{name}");
    }
    let cycle = &variant(&document, "opposite order")["results"]["deadlock"]["cycle"];
    for (at, next) in [(0, 1), (1, 0)] {
        assert_eq!(
            cycle[at]["waits_for"]["lock"], cycle[next]["holds"][0]["lock"],
            "each waits for what the other holds"
        );
    }
    for words in ["waits for itself", "opposite orders", "one order for all"] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn nested_calls_and_poison_end_as_told() {
    let arguments = [&SHORT[..], &PATIENT, &["--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for name in ["reentrant", "split"] {
        let results = &variant(&document, name)["results"];
        assert_eq!(
            (&results["deposits"], &results["torn"]),
            (&6_000.into(), &0.into())
        );
    }
    let (poison, unaware) = (
        variant(&document, "poison"),
        variant(&document, "no poison"),
    );
    assert_eq!(poison["results"]["told"], true);
    assert_eq!(poison["results"]["total_after"], 100);
    assert_eq!(unaware["results"]["told"], false);
    assert_eq!(unaware["results"]["total_after"], 70);
    for words in [
        "a method may call another",
        "repaired the total",
        "told nobody",
    ] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
    }
}

#[test]
fn without_a_watchdog_the_parents_patience_ends_it() {
    let arguments = [&SHORT[..], &["--no-watchdog", "--patience", "2", "--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for name in ["self-deadlock", "opposite order"] {
        let results = &variant(&document, name)["results"];
        assert_eq!(results["heard"], false, "{name}");
        assert_eq!(results["deadlock"], Value::Null, "{name}");
        #[cfg(unix)]
        assert_eq!(results["exit"]["signal"], 9, "{name}");
    }
    assert_eq!(verdict(&document, "says nothing"), "shown");
    let same_order = &variant(&document, "same order")["results"];
    assert_eq!(same_order["heard"], true, "nobody was stuck");
    assert_eq!(same_order["finished"], 2);
    assert_eq!(verdict(&document, "one order for all"), "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn one_thread_has_nobody_to_contend_with_and_is_fine() {
    let arguments = [&SHORT[..], &PATIENT, &["--json", "--threads", "1"]].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(document["params"]["threads"], serde_json::json!([1]));
    assert_eq!(
        document["params"]["scaling"]["Mutex"]["shape"],
        "one column"
    );
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let all = ["--increments", "100_000_000", "--rounds", "1000"];
    let _ = run(BINARY, &all).refused(2, &["increments in all", "lower one"]);
}

#[test]
fn a_child_that_stays_silent_is_one_line_and_exit_code_1() {
    // Nothing starts within that: the parent gives up, says so, and leaves nothing.
    let hasty = [&SHORT[..], &["--patience", "1e-9", "--json"]].concat();
    let finished =
        run(BINARY, &hasty).refused(1, &["`self-deadlock`, `opposite order`", "--patience"]);
    let document = finished.document();
    assert_eq!(
        variant(&document, "self-deadlock")["results"]["heard"],
        false
    );
    assert_eq!(verdict(&document, "waits for itself"), "not_shown");
    assert_nothing_left_behind(BINARY);
}
