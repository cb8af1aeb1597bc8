//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-11-threads-basics");
const WAYS: [&str; 5] = ["sequential", "scoped", "'static", "late join", "panicking"];

fn json(args: &[&str]) -> Value {
    let args: Vec<&str> = ["--json"].iter().chain(args).copied().collect();
    run(BINARY, &args).well().document()
}

#[test]
fn every_iteration_is_made_and_join_waits_for_the_last() {
    let document = json(&["--delay", "0.02", "--threads", "3", "--iterations", "4"]);
    for way in &WAYS[..4] {
        let results = &variant(&document, way)["results"];
        assert_eq!(results["made"], 12, "{way}");
        assert_eq!(results["panicked"], 0, "{way}");
    }
    for way in ["scoped", "'static"] {
        let variant = variant(&document, way);
        assert_eq!(variant["results"]["made_when_main_went_on"], 12);
        assert_eq!(variant["ledger"]["threads"], 4, "three and the main thread");
        let lanes = variant["lanes"].as_array().expect("lanes");
        let main = lanes.iter().find(|lane| lane["name"] == "main");
        let join = &main.expect("main waits, too")["spans"][0];
        assert_eq!(join["name"], "join");
        assert_eq!(join["wait"], "join");
        for name in ["worker A", "worker B", "worker C"] {
            assert!(lanes.iter().any(|lane| lane["name"] == name), "{name}");
        }
    }
    assert_eq!(variant(&document, "sequential")["ledger"]["threads"], 1);
    assert_eq!(variant(&document, "sequential")["results"]["changes"], 2);
    assert_eq!(verdict(&document, "when join had returned"), "shown");
}

#[test]
fn a_panic_is_a_value_and_the_other_threads_finish() {
    let document = json(&["--delay", "0.01", "--threads", "3", "--panic-at", "3"]);
    let panicking = variant(&document, "panicking");
    assert_eq!(panicking["results"]["panicked"], 1);
    assert_eq!(panicking["results"]["made"], 8);
    assert_eq!(panicking["results"]["ends"][0]["Ok"], 3);
    assert_eq!(
        panicking["results"]["ends"][2]["Err"],
        "iteration 3 went wrong"
    );
    let ledger = &panicking["ledger"];
    assert_eq!((&ledger["done"], &ledger["failed"]), (&2.into(), &1.into()));
    assert_eq!(verdict(&document, "one thread panicked"), "shown");
    assert_eq!(verdict(&document, "the panic ended its own"), "shown");
}

#[test]
fn a_single_thread_is_told_that_it_is_alone() {
    let document = json(&["--threads", "1", "--delay", "0.01", "--iterations", "1"]);
    let claims = document["claims"].as_array().expect("a run has claims");
    let alone = "one thread has nobody to run beside";
    assert!(claims.iter().any(|claim| claim["reason"] == alone));
    assert_eq!(variant(&document, "panicking")["ledger"]["done"], 0);
    for way in WAYS {
        let efficiency = variant(&document, way)["efficiency"].as_f64();
        assert!(efficiency.is_none_or(|share| share <= 1.0), "{way}");
    }
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let _ = run(BINARY, &["--panic-at", "4"]).refused(2, &["`--panic-at 4`", "--iterations 3"]);
}
