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
fn the_report_tells_each_iteration_and_how_each_join_ended() {
    let finished = run(BINARY, &["--delay", "0.02"]).well();
    finished.tells(&[
        "  [worker A] iteration 1\n  [worker A] iteration 2\n  [worker A] iteration 3\n  [worker B]",
        "[worker B] iteration 3",
        "join of worker A: Ok, 3 iterations",
        "join of worker B: Err, it panicked: iteration 2 went wrong",
        "main: 8 of 8 threads joined",
        "✓ shown: when join had returned",
    ]);
    let late = finished
        .stdout
        .find("late join: main goes on")
        .expect("told");
    let late = &finished.stdout[late..];
    let at = |line: &str| late.find(line).unwrap_or_else(|| panic!("{line}: {late}"));
    let events = [
        at("  main goes on: "),
        at("[worker A] iteration 3"),
        at("  main has joined: 6 of 6 made"),
        at("panicking: "),
    ];
    assert!(events.is_sorted(), "in the order of events: {late}");
    let told = finished.stdout.matches("] iteration ").count();
    assert_eq!(told, 4 * 6 + 4, "four ways in full, and one that panics");
    assert_eq!(
        finished.stderr, "",
        "a panic that is a value is not printed"
    );
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
fn a_bad_value_is_one_line_and_exit_code_2() {
    for flag in ["--threads", "--iterations", "--panic-at"] {
        for bad in ["0", "-1", "1000", "many"] {
            let _ = run(BINARY, &[flag, bad]).refused(2, &[&format!("`{bad}`"), flag]);
        }
    }
    for bad in ["-1", "soon", "1e9"] {
        let _ = run(BINARY, &["--delay", bad]).refused(2, &[&format!("`{bad}`"), "--delay"]);
    }
    let _ = run(BINARY, &["--panic-at", "4"]).refused(2, &["`--panic-at 4`", "--iterations 3"]);
}

#[test]
fn an_unwritable_trace_is_one_line_and_exit_code_1() {
    let trace = ["--delay", "0", "--trace", "/nowhere/trace.json"];
    let _ = run(BINARY, &trace).refused(1, &["/nowhere/trace.json"]);
}
