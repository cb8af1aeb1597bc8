//! The binary as a user runs it.

use serde_json::Value;
use testing::{claim, run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-11-threads-basics");
const WAYS: [&str; 5] = ["sequential", "scoped", "'static", "late join", "panicking"];

fn json(args: &[&str]) -> Value {
    let args = [&["--json"], args].concat();
    run(BINARY, &args).well().document()
}

#[test]
fn main_waits_in_join_while_each_worker_has_a_lane_of_its_own() {
    let document = json(&["--delay", "0.02", "--threads", "3", "--iterations", "4"]);
    assert_eq!(verdict(&document, "join_waits"), "shown");
    for way in ["scoped", "'static"] {
        let variant = variant(&document, way);
        assert_eq!(variant["ledger"]["threads"], 4, "three and the main thread");
        let lanes = variant["lanes"].as_array().expect("lanes");
        let lane = |name: &str| lanes.iter().find(|lane| lane["name"] == name);
        let join = &lane("main").expect("main waits, too")["spans"][0];
        assert_eq!(
            (&join["name"], &join["wait"]),
            (&"join".into(), &"join".into())
        );
        for name in ["worker A", "worker B", "worker C"] {
            assert!(lane(name).is_some(), "{name}");
        }
    }
    let sequential = variant(&document, "sequential");
    assert_eq!(sequential["ledger"]["threads"], 1);
    assert_eq!(sequential["figures"]["changes_of_speaker"][0], 2.0);
}

#[test]
fn a_panic_is_a_value_and_the_other_threads_finish() {
    let document = json(&["--delay", "0.01", "--threads", "3", "--panic-at", "3"]);
    assert_eq!(verdict(&document, "panic_is_a_value"), "shown");
    assert_eq!(verdict(&document, "panic_ends_one_thread"), "shown");
    let ends = &variant(&document, "panicking")["results"][1];
    assert_eq!(ends[0]["Ok"], 3);
    assert_eq!(ends[2]["Err"], "iteration 3 went wrong");
}

#[test]
fn each_iteration_is_printed_in_the_order_of_events_and_no_panic_is() {
    let finished = run(BINARY, &["--delay", "0.02"]).well();
    assert_eq!(
        finished.stderr, "",
        "a panic that is a value is not printed"
    );
    finished.tells(&[
        "join of worker A: Ok, 3 iterations",
        "join of worker B: Err, it panicked: iteration 2 went wrong",
    ]);
    let (_, late) = finished.stdout.split_once("late join: ").expect("it ran");
    let at = |line: &str| late.find(line).unwrap_or_else(|| panic!("{line}: {late}"));
    let events = [
        at("  main goes on: "),
        at("[worker A] iteration 3"),
        at("  main has joined"),
        at("panicking: "),
    ];
    assert!(events.is_sorted(), "in the order of events: {late}");
    let printed = finished.stdout.matches("] iteration ").count();
    assert_eq!(printed, 6, "those of the late join");
}

#[test]
fn a_single_thread_has_no_other_to_run_beside_and_no_way_beats_its_bound() {
    let document = json(&["--threads", "1", "--delay", "0.01", "--iterations", "1"]);
    for name in ["lines_mix", "waits_overlap"] {
        let reason = &claim(&document, name)["reason"];
        assert_eq!(reason, "one thread has no other to run beside", "{name}");
    }
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
