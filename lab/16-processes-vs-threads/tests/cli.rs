//! The binary as a user runs it.

use serde_json::Value;
use std::process::Command;
use testing::{assert_nothing_left_behind, claim, run, run_command, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-16-processes-vs-threads");
const QUICK: [&str; 10] = [
    "--work",
    "100_000",
    "--wait",
    "0.01",
    "--rounds",
    "3",
    "--jobs",
    "6",
    "--workers",
    "3",
];

fn quick_document() -> Value {
    let arguments = [&QUICK[..], &["--json"]].concat();
    run(BINARY, &arguments).well().document()
}

#[test]
fn threads_share_this_process_and_every_worker_has_its_own() {
    let document = quick_document();
    let ledger = |name: &str| variant(&document, name)["ledger"].clone();
    for name in ["CPU threads", "I/O threads"] {
        assert_eq!(ledger(name)["processes"], 1, "{name}");
        let threads = ledger(name)["threads"].as_u64();
        assert!(threads <= Some(4), "{name}: three and the main one");
    }
    let lanes = variant(&document, "I/O threads")["lanes"].as_array();
    let lanes = lanes.expect("a variant has lanes");
    assert!((2..=3).contains(&lanes.len()), "one thread waited for all");
    assert!(lanes.iter().all(|lane| lane["name"] != "main"));
    for name in ["CPU processes", "I/O processes"] {
        assert_eq!(ledger(name)["processes"], 4, "{name}: three and this one");
    }
    for name in [
        "CPU one by one",
        "CPU threads",
        "CPU processes",
        "I/O threads",
        "I/O processes",
    ] {
        assert_eq!(ledger(name)["done"], 6, "{name}");
        assert_eq!(variant(&document, name)["runs"], 3, "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn an_abort_costs_one_worker_there_and_the_whole_program_here() {
    let document = quick_document();
    let there = variant(&document, "abort in a process");
    let counts = ["submitted", "done", "failed", "cancelled"];
    assert_eq!(counts.map(|name| &there["ledger"][name]), [6, 5, 1, 0]);
    assert_eq!(verdict(&document, "abort_contained"), "shown");
    assert_eq!(verdict(&document, "abort_ends_program"), "shown");
    let here = variant(&document, "abort in a thread");
    assert_eq!(counts.map(|name| &here["ledger"][name]), [6, 0, 1, 5]);
    // The program and its watcher; the pool may have begun to replace the one that ended.
    let processes = here["ledger"]["processes"].as_u64();
    assert!(matches!(processes, Some(2 | 3)), "{processes:?}");
}

#[test]
fn every_way_of_the_sweep_brings_the_results_of_one_by_one() {
    let document = quick_document();
    assert_eq!(verdict(&document, "sweep_right"), "shown");
    let rows = document["tables"][0]["rows"].as_array().expect("sizes");
    assert_eq!(rows.len(), 6);
    for row in rows {
        assert_eq!(row.as_array().map(Vec::len), Some(1 + 4), "{row}");
    }
}

#[test]
fn two_rounds_decide_nothing() {
    let arguments = [&QUICK[..4], &["--rounds", "2", "--jobs", "1", "--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    for name in ["cpu_verdict", "io_verdict"] {
        let claim = claim(&document, name);
        assert_eq!(claim["verdict"], "inconclusive");
        let text = claim["text"].as_str().expect("a sentence");
        assert!(text.contains(": whether `"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_system_that_refuses_processes_is_told_in_one_line() {
    let mut command = Command::new("sh");
    // Room for a few open files, so that no link to a worker can be had.
    command.args(["-c", "ulimit -n 9; exec \"$0\" \"$@\"", BINARY]);
    command.args(QUICK);
    let _ = run_command(command).refused(1, &["cannot start", "open files"]);
}
