//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-17-async-basics");
const QUICK: [&str; 4] = ["--rounds", "1", "--work", "100_000"];

fn document(flags: &[&str]) -> Value {
    let flags = [&QUICK[..], &["--json"], flags].concat();
    run(BINARY, &flags).well().document()
}

#[test]
fn nothing_begins_unasked_and_all_but_the_loop_wait_at_once() {
    let document = document(&["--tasks", "6", "--delay", "0.5", "--block", "0"]);
    let begun = &document["params"]["begun"];
    assert_eq!(begun["made"], 6);
    assert_eq!(begun["when_made"], 0);
    assert_eq!(begun["when_one_awaited"], 1);
    assert_eq!(begun["when_others_spawned"], 6);
    for (name, at_once, threads) in [
        ("await in a loop", 1, 1),
        ("join", 6, 1),
        ("spawn", 6, 1),
        ("spawn_blocking", 6, 6),
    ] {
        let variant = variant(&document, name);
        assert_eq!(variant["results"]["peak_at_once"], at_once, "{name}");
        assert_eq!(variant["results"]["threads_used"], threads, "{name}");
        assert_eq!(
            variant["ledger"]["threads"],
            if threads == 6 { 7 } else { 1 }
        );
        assert_eq!(variant["ledger"]["done"], 6, "{name}");
    }
    for words in [
        "making futures began nothing",
        "a spawned task began",
        "the loop never waited for two",
        "one for each call",
        "stayed on one thread",
    ] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
    }
}

#[test]
fn a_blocked_thread_lets_no_tick_through() {
    let document = document(&["--tasks", "1", "--delay", "0", "--block", "0.4"]);
    let blocks = &variant(&document, "call blocks")["results"];
    assert_eq!(blocks["ticks_during_the_call"], 0);
    assert!(blocks["worst_late_s"].as_f64() >= Some(0.39), "{blocks}");
    let late = blocks["late_s"].as_array().expect("a list");
    assert_eq!(Some(late.len() as u64), blocks["ticks"].as_u64());
    assert_eq!(verdict(&document, "while the call blocked"), "shown");
    let moved = variant(&document, "call moved away");
    assert_eq!(moved["ledger"]["threads"], 2);
}

#[test]
fn what_a_dropped_read_had_read_is_lost_and_counted() {
    let document = document(&["--tasks", "3", "--delay", "0", "--block", "0"]);
    let losing = variant(&document, "bytes inside");
    // A heartbeat after every 7th half of 40: the third and the fifth fall as the first does.
    let expected = [
        ("right", 9),
        ("wrong", 8),
        ("dropped_reads", 5),
        ("lost_bytes", 24),
    ];
    for (name, count) in expected {
        assert_eq!(losing["results"][name], count, "{name}");
    }
    assert_eq!(losing["ledger"]["failed"], 11);
    let keeping = variant(&document, "bytes outside");
    assert_eq!(keeping["results"]["right"], 20);
    assert_eq!(keeping["results"]["lost_bytes"], 0);
    assert_eq!(keeping["results"]["dropped_reads"], 5);
    let abort = variant(&document, "abort");
    assert_eq!(abort["ledger"]["done"], 3, "the blocking calls");
    assert_eq!(abort["ledger"]["cancelled"], 3, "the tasks");
    for words in [
        "dropped reads took bytes",
        "kept outside",
        "aborted tasks stopped",
    ] {
        assert_eq!(verdict(&document, words), "shown", "{words}");
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
    assert_eq!(verdict(&document, "dropped reads took bytes"), "not_shown");
    assert_eq!(verdict(&document, "all at once took"), "not_shown");
    let wrong = &variant(&document, "bytes inside")["results"]["wrong"];
    assert_eq!(*wrong, 0);
}
