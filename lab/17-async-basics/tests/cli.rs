//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-17-async-basics");

fn document(flags: &[&str]) -> Value {
    let flags = [&["--json"], flags].concat();
    run(BINARY, &flags).well().document()
}

fn figure(document: &Value, name: &str, figure: &str) -> f64 {
    let value = &variant(document, name)["figures"][figure][0];
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {figure}: {value}"))
}

#[test]
fn all_but_the_loop_wait_at_once_and_only_blocking_calls_take_threads() {
    let document = document(&["--tasks", "6", "--delay", "0.5", "--block", "0"]);
    for (name, at_once, threads) in [
        ("await in a loop", 1.0, 1),
        ("join", 6.0, 1),
        ("spawn", 6.0, 1),
        ("spawn_blocking", 6.0, 7),
    ] {
        assert_eq!(figure(&document, name, "calls_open_at_once"), at_once);
        let ledger = &variant(&document, name)["ledger"];
        assert_eq!(ledger["threads"], threads, "{name}");
        assert_eq!(ledger["done"], 6, "{name}");
    }
    for name in ["futures_are_lazy", "all_wait_at_once", "threads"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn a_blocked_thread_lets_no_tick_through() {
    let document = document(&["--tasks", "1", "--delay", "0", "--block", "0.4"]);
    assert_eq!(
        figure(&document, "call blocks", "ticks_during_the_call"),
        0.0
    );
    // Only a lower bound: due at most a tick after the call began, run after its end.
    assert!(figure(&document, "call blocks", "latest_tick_late_by") >= 0.39);
    assert!(figure(&document, "call moved away", "ticks_during_the_call") > 0.0);
    assert_eq!(verdict(&document, "blocking_stalls"), "shown");
    let moved = variant(&document, "call moved away");
    assert_eq!(moved["ledger"]["threads"], 2);
}

#[test]
fn what_a_dropped_read_had_read_is_lost_and_counted() {
    let document = document(&["--tasks", "3", "--delay", "0", "--block", "0"]);
    // A heartbeat after every 7th half of 40: the third and the fifth fall as the first does.
    for (name, wrong, lost, right) in [
        ("bytes inside", 8.0, 24.0, 9),
        ("bytes outside", 0.0, 0.0, 20),
    ] {
        assert_eq!(figure(&document, name, "wrong_messages"), wrong, "{name}");
        assert_eq!(figure(&document, name, "bytes_lost"), lost, "{name}");
        assert_eq!(figure(&document, name, "dropped_reads"), 5.0, "{name}");
        assert_eq!(variant(&document, name)["ledger"]["done"], right, "{name}");
    }
    let abort = &variant(&document, "abort")["ledger"];
    assert_eq!(abort["done"], 3, "the blocking calls");
    assert_eq!(abort["cancelled"], 3, "the tasks");
    for name in [
        "dropped_reads_lose",
        "kept_outside",
        "abort_stops_tasks_only",
    ] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
}

#[test]
fn what_has_nothing_to_show_says_so() {
    let document = document(&[
        "--tasks",
        "1",
        "--delay",
        "0.05",
        "--messages",
        "3",
        "--block",
        "0",
    ]);
    assert_eq!(verdict(&document, "dropped_reads_lose"), "not_shown");
    assert_eq!(verdict(&document, "waits_overlap"), "not_shown");
    assert_eq!(figure(&document, "bytes inside", "wrong_messages"), 0.0);
}
