//! The binary as a user runs it.

use serde_json::Value;
use std::process::Command;
use testing::{assert_nothing_left_behind, run, run_command, variant};

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

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().expect("a list");
    items.iter().filter_map(Value::as_f64).collect()
}

/// The rule as the README and the report state it, by other code than the step's.
fn verdict_by_the_rule(first: &[f64], second: &[f64]) -> &'static str {
    let mut ratios: Vec<f64> = first.iter().zip(second).map(|(a, b)| b / a).collect();
    ratios.sort_by(f64::total_cmp);
    // Of nine rounds the outermost two do not count.
    let out = usize::from(ratios.len() == 9);
    let (least, greatest) = (ratios[out], ratios[ratios.len() - 1 - out]);
    match () {
        () if ratios.len() < 3 => "too_noisy",
        () if least > 1.1 => "first_faster",
        () if greatest < 1.0 / 1.1 => "second_faster",
        () if greatest <= 1.1 && least >= 1.0 / 1.1 => "no_detectable_difference",
        () => "too_noisy",
    }
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
fn each_verdict_is_the_rule_applied_to_the_rounds_in_the_document() {
    for rounds in [3, 9] {
        verdicts_follow_the_rule(rounds);
    }
}

fn verdicts_follow_the_rule(rounds: usize) {
    let count = rounds.to_string();
    let arguments = [&QUICK[..4], &["--rounds", &count, "--json"]].concat();
    let document = run(BINARY, &arguments).well().document();
    let walls = |name: &str| numbers(&variant(&document, name)["walls_s"]);
    for (kind, at) in [
        ("CPU", "cpu_processes_over_threads"),
        ("I/O", "io_processes_over_threads"),
    ] {
        let (threads, processes) = (
            walls(&format!("{kind} threads")),
            walls(&format!("{kind} processes")),
        );
        let expected = verdict_by_the_rule(&threads, &processes);
        assert_eq!(document["params"][at]["verdict"], expected, "{kind}");
    }
    let points = document["params"]["sweep"]["points"].as_array();
    for point in points.expect("sizes") {
        for way in ["threads", "processes", "running_pool"] {
            let first = numbers(&point["one_by_one_s"]);
            let second = numbers(&point[way]["times_s"]);
            assert_eq!(second.len(), rounds);
            let expected = verdict_by_the_rule(&first, &second);
            assert_eq!(point[way]["verdict"], expected, "{way} at {point}");
        }
    }
}

#[test]
fn a_break_even_is_where_a_way_is_faster_at_every_size_from_there_on() {
    let document = quick_document();
    let sweep = &document["params"]["sweep"];
    assert_eq!(sweep["jobs"], sweep["right"]);
    assert_eq!(sweep["jobs"], 6 * 3 * 3 * 3, "sizes, rounds, ways, jobs");
    let points = sweep["points"].as_array().expect("sizes");
    assert_eq!(points[5]["steps"], 400_000);
    for (number, way) in ["threads", "processes", "running_pool"].iter().enumerate() {
        let wins = |point: &&Value| point[way]["verdict"] == "second_faster";
        let from = points.len() - points.iter().rev().take_while(wins).count();
        let expected = points
            .get(from)
            .map_or(&Value::Null, |point| &point["steps"]);
        assert_eq!(&sweep["break_even_steps"][number], expected, "{way}");
    }
}

#[test]
fn an_abort_costs_one_worker_there_and_the_whole_program_here() {
    let document = quick_document();
    let there = variant(&document, "abort in a process");
    let counts = ["submitted", "done", "failed", "cancelled"];
    assert_eq!(counts.map(|name| &there["ledger"][name]), [6, 5, 1, 0]);
    assert_eq!(there["results"]["pool"]["workers_lost"], 1);
    let here = variant(&document, "abort in a thread");
    assert_eq!(counts.map(|name| &here["ledger"][name]), [6, 0, 1, 5]);
    #[cfg(unix)]
    assert_eq!(here["results"]["exit"]["signal"], 6);
    assert_eq!(
        here["ledger"]["processes"], 2,
        "the program and its watcher"
    );
}

#[test]
fn two_rounds_decide_nothing_and_say_so() {
    let arguments = [&QUICK[..4], &["--rounds", "2", "--jobs", "1"]].concat();
    let finished = run(BINARY, &arguments).well();
    finished.tells(&["2 of at least 3 rounds decide nothing", "too noisy"]);
    assert!(!finished.stdout.contains("were faster than"));
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let hours = ["--jobs", "1000", "--work", "1_000_000_000"];
    let _ = run(BINARY, &hours).refused(2, &["9,144,000,000,000 steps", "lower one"]);
    let hours = ["--jobs", "1000", "--wait", "10"];
    let _ = run(BINARY, &hours).refused(2, &["--wait 10", "lower one"]);
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
