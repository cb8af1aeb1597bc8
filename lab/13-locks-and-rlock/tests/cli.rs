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

fn document(arguments: &[&str]) -> Value {
    let arguments = [&SHORT[..], &PATIENT, &["--json"], arguments].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_nothing_left_behind(BINARY);
    document
}

#[test]
fn each_way_counts_all_and_what_took_no_time_is_not_compared() {
    let document = document(&["--threads", "4"]);
    for name in WAYS {
        let variant = variant(&document, name);
        let ledger = &variant["ledger"];
        assert_eq!(
            (&ledger["done"], &ledger["failed"]),
            (&20_000.into(), &0.into())
        );
        assert_eq!(ledger["threads"], 5, "{name}: four and the main thread");
        let alone = variant["figures"]["time_on_one_thread"].as_array();
        assert_eq!(alone.map(Vec::len), Some(2), "{name}: by round");
    }
    assert_eq!(verdict(&document, "every_increment_counted"), "shown");
    assert_eq!(variant(&document, "sequential")["runs"], 2);
}

#[test]
fn each_deadlock_is_found_and_named_and_the_kept_order_finishes() {
    let document = document(&[]);
    for (name, counts) in [
        ("self-deadlock", [1, 0, 0, 1]),
        ("opposite order", [2, 0, 0, 2]),
        ("same order", [2, 2, 0, 0]),
    ] {
        let ledger = &variant(&document, name)["ledger"];
        let told = ["submitted", "done", "failed", "cancelled"].map(|name| &ledger[name]);
        assert_eq!(told, counts, "{name}");
        assert_eq!(ledger["processes"], 2, "{name}");
    }
    for name in [
        "self_deadlock_named",
        "opposite_orders_named",
        "one_order_finishes",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn nested_calls_and_poison_end_as_claimed() {
    let document = document(&[]);
    for name in ["batches_stay_whole", "poison_warns", "no_poison_no_warning"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn the_report_names_threads_locks_and_source_lines() {
    let finished = run(BINARY, &[&SHORT[..], &PATIENT].concat()).well();
    finished.tells(&[
        "teller holds `checking`, lab/13-locks-and-rlock/src/deadlock.rs:",
        "saver waits for `savings`, lab/13-locks-and-rlock/src/deadlock.rs:",
        "deadlock, found by the child: teller → teller",
        "finds 70 of 100 and leaves 100",
    ]);
    assert_eq!(
        finished.stderr, "",
        "the panic that is meant is not printed"
    );
}

#[test]
fn without_a_watchdog_the_parents_patience_ends_it() {
    let arguments = [&SHORT[..], &["--no-watchdog", "--patience", "2", "--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    assert_eq!(verdict(&document, "deadlock_is_silent"), "shown");
    assert_eq!(verdict(&document, "one_order_finishes"), "shown");
    assert_nothing_left_behind(BINARY);
}

#[test]
fn one_thread_has_no_other_to_contend_with_and_is_fine() {
    let document = document(&["--threads", "1"]);
    assert_eq!(document["params"]["threads"], 1);
}

#[test]
fn a_bad_value_is_one_line_and_exit_code_2() {
    for flag in ["--threads", "--increments", "--rounds"] {
        for bad in ["0", "-1", "1000000000", "many"] {
            let _ = run(BINARY, &[flag, bad]).refused(2, &[&format!("`{bad}`"), flag]);
        }
    }
    for bad in ["0", "-1", "61", "soon"] {
        let _ = run(BINARY, &["--patience", bad]).refused(2, &[&format!("`{bad}`"), "--patience"]);
    }
    let all = ["--increments", "100_000_000", "--rounds", "1000"];
    let _ = run(BINARY, &all).refused(2, &["increments in all", "lower one"]);
}

#[test]
fn a_child_that_does_not_answer_is_one_line_and_exit_code_1() {
    // Nothing starts within that: the parent gives up, reports it, and leaves nothing.
    let hasty = [&SHORT[..], &["--patience", "1e-9", "--json"]].concat();
    let finished =
        run(BINARY, &hasty).refused(1, &["`self-deadlock`, `opposite order`", "--patience"]);
    assert_eq!(
        verdict(&finished.document(), "self_deadlock_named"),
        "not_shown"
    );
    assert_nothing_left_behind(BINARY);
}
