//! The binary as a user runs it.

use serde_json::Value;
use std::process::Command;
use testing::{assert_nothing_left_behind, run, run_command, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-15-thread-pool-executor");
const QUICK: [&str; 12] = [
    "--tasks",
    "9",
    "--workers",
    "3",
    "--wait",
    "0.005",
    "--largest",
    "4",
    "--many",
    "300",
    "--rounds",
    "2",
];

fn quick_document() -> Value {
    let arguments = [&QUICK[..], &["--json"]].concat();
    run(BINARY, &arguments).well().document()
}

#[test]
fn a_thread_per_task_takes_a_thread_per_task_and_a_pool_its_workers() {
    let document = quick_document();
    let ledger = |name: &str, what: &str| variant(&document, name)["ledger"][what].clone();
    assert_eq!(ledger("thread per task", "threads"), 10, "and the main one");
    assert_eq!(ledger("one by one", "threads"), 1);
    for name in ["pool by hand", "rayon"] {
        let threads = ledger(name, "threads").as_u64();
        assert!(threads <= Some(4), "{name}: three and the main one");
    }
    for name in ["one by one", "thread per task", "pool by hand", "rayon"] {
        assert_eq!(ledger(name, "done"), 9, "{name}");
        assert_eq!(variant(&document, name)["runs"], 2, "{name}");
        let order = variant(&document, name)["results"].as_array();
        let mut numbers: Vec<u64> = order
            .expect("results")
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        if name == "one by one" {
            assert!(numbers.is_sorted(), "nothing overtakes: {numbers:?}");
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=9), "{name}");
    }
    assert_eq!(verdict(&document, "each_once"), "shown");
}

#[test]
fn very_many_tasks_fit_a_pool_and_a_thread_each_is_counted_where_it_was() {
    let document = quick_document();
    let pool = &variant(&document, "many: pool")["ledger"];
    assert_eq!(pool["done"], 300);
    let threads = variant(&document, "many: threads");
    assert_eq!(threads["ledger"]["done"], 300);
    assert_eq!(threads["figures"]["threads_at_once"][0], 300.0);
    assert_eq!(threads["ledger"]["processes"], 2, "a process of their own");
    for name in ["a_pool_takes_any_number", "a_thread_each_fits"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_that_is_met_is_named_and_nothing_crashes() {
    for kibibytes in [600_000, 1_500_000] {
        let line = format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &line, BINARY]);
        command
            .args(&QUICK[..8])
            .args(["--many", "50_000", "--rounds", "1"]);
        let finished = run_command(command).well();
        finished.tells(&[
            "no more threads within address space",
            "50,000 threads at once fit this machine",
        ]);
        assert_eq!(finished.stderr, "");
    }
    assert_nothing_left_behind(BINARY);
}
