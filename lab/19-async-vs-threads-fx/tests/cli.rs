//! The binary as a user runs it.

use std::process::Command;
use testing::{assert_nothing_left_behind, run, run_command, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-19-async-vs-threads-fx");

/// Latencies wide enough for five to meet under load, a short sweep and little to price.
const QUICK: [&str; 8] = [
    "--fastest",
    "0.05",
    "--slowest",
    "0.1",
    "--sweep",
    "10,200",
    "--paths",
    "200_000",
];

fn quick<'a>(more: &[&'a str]) -> Vec<&'a str> {
    QUICK.iter().chain(more).copied().collect()
}

#[test]
fn the_venue_is_the_witness_of_the_same_limit_on_both_sides() {
    let document = run(BINARY, &quick(&["--json"])).well().document();
    for (name, level) in [
        ("threads", 5),
        ("tasks", 5),
        ("10 tasks", 10),
        ("10 threads", 10),
        ("200 tasks", 200),
        ("200 threads", 200),
    ] {
        let one = variant(&document, name);
        assert_eq!(one["ledger"]["peak_in_flight"], level, "{name}");
        assert_eq!(one["comparable"], true, "{name}");
        assert_eq!(one["ledger"]["failed"], 0, "{name}");
    }
    let answers = |name: &str| variant(&document, name)["results"].clone();
    assert_eq!(answers("threads"), answers("tasks"));
    assert_eq!(answers("threads").as_array().map(Vec::len), Some(20));
    assert_eq!(variant(&document, "200 tasks")["ledger"]["threads"], 1);
    for name in ["one_limit", "same_answers", "same_prices"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_same_seed_brings_the_same_prices_and_another_one_others() {
    let answers = |seed| {
        let document = run(BINARY, &quick(&["--json", "--rounds", "1", "--seed", seed])).well();
        variant(&document.document(), "tasks")["results"].clone()
    };
    assert_eq!(answers("7"), answers("7"));
    assert_ne!(answers("7"), answers("8"));
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let _ = run(BINARY, &["--fastest", "0.2"]).refused(2, &["`--fastest 0.2`", "--slowest"]);
}

#[cfg(unix)]
#[test]
fn rows_past_the_limit_of_open_files_say_so_and_the_others_run() {
    let limited = |flags: &str| {
        let mut shell = Command::new("sh");
        let line = format!("ulimit -n 128; exec \"$0\" {flags}");
        shell.args(["-c", &line, BINARY]).args(quick(&[]));
        shell
    };
    let document = run_command(limited("--json \"$@\"")).well().document();
    assert_eq!(variant(&document, "10 threads")["ledger"]["done"], 10);
    let names = document["variants"].as_array().expect("variants").iter();
    assert!(
        names.clone().all(|one| one["name"] != "200 tasks"),
        "it was not tried"
    );
    let finished = run_command(limited("\"$@\"")).well();
    finished.tells(&["200 in flight: not run; open files (ulimit -n): 200 needed, 96 allowed"]);
    assert_nothing_left_behind(BINARY);
}
