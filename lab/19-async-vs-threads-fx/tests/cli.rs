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
    "20_000",
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
        ("tasks 10", 10),
        ("threads 10", 10),
        ("tasks 200", 200),
        ("threads 200", 200),
    ] {
        let one = variant(&document, name);
        assert_eq!(one["ledger"]["peak_in_flight"], level, "{name}");
        assert_eq!(one["ledger"]["connections"], level, "{name}");
        assert_eq!(one["comparable"], true, "{name}");
        assert_eq!(one["ledger"]["failed"], 0, "{name}");
        let efficiency = one["efficiency"].as_f64().expect("a bound");
        assert!(efficiency <= 1.0, "{name} beat its bound: {efficiency}");
    }
    let trade = |name: &str| variant(&document, name)["results"].clone();
    assert_eq!(trade("threads")["filled"], trade("tasks")["filled"]);
    assert_eq!(trade("threads")["filled"], trade("threads")["best"]);
    assert_eq!(
        trade("threads")["filled"]
            .as_object()
            .map(serde_json::Map::len),
        Some(5)
    );
    assert_eq!(variant(&document, "tasks 200")["ledger"]["threads"], 1);
    assert_eq!(trade("tasks 200")["count"], 200);
    for name in ["one_limit", "same_answers", "all_in_flight", "same_prices"] {
        assert_eq!(verdict(&document, name), "shown", "{name}");
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn the_same_seed_brings_the_same_prices_and_another_one_others() {
    let best = |seed| {
        let document = run(BINARY, &quick(&["--json", "--rounds", "1", "--seed", seed])).well();
        variant(&document.document(), "tasks")["results"]["best"].clone()
    };
    assert_eq!(best("7"), best("7"));
    assert_ne!(best("7"), best("8"));
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let _ = run(BINARY, &["--pairs", "EURUSD,XXXYYY"]).refused(2, &["`XXXYYY`", "USDCHF"]);
    let _ = run(BINARY, &["--fastest", "0.2"]).refused(2, &["`--fastest 0.2`", "--slowest"]);
    let many = [
        "--pairs",
        "EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD,EURUSD",
    ];
    let many: Vec<&str> = many.into_iter().chain(["--repeats", "1000"]).collect();
    let _ = run(BINARY, &many).refused(2, &["`--repeats 1000`", "11,000"]);
}

#[test]
fn a_venue_that_dies_in_mid_run_is_one_line_and_what_came_is_kept() {
    // In the table: after 11 of its 25 requests.
    let finished = run(BINARY, &quick(&["--json", "--venue-dies-at", "12"]));
    let finished = finished.refused(1, &["threads: ", "requests failed", "signal 6 (SIGABRT)"]);
    let document = finished.document();
    let ledger = &variant(&document, "threads")["ledger"];
    let done = ledger["done"].as_u64().expect("a count");
    assert!(
        (7..=11).contains(&done),
        "five at a time were open: {ledger}"
    );
    assert_eq!(
        ledger["submitted"].as_u64(),
        ledger["failed"].as_u64().map(|f| f + done)
    );
    assert!(
        ledger["peak_in_flight"].is_null(),
        "who has died has counted nothing"
    );
    // In the sweep: nobody had been answered before the bell.
    let finished = run(BINARY, &quick(&["--rounds", "1", "--venue-dies-at", "58"]));
    let _ = finished.refused(
        1,
        &["tasks 10: 10 of 10 requests failed", "signal 6 (SIGABRT)"],
    );
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_stalled_venue_costs_a_time_out_and_is_one_line() {
    let flags = ["--venue-stalls-at", "3", "--timeout", "0.5", "--json"];
    let finished = run(BINARY, &quick(&flags));
    let finished = finished.refused(1, &["requests failed", "within 0.5 s", "`--timeout`"]);
    let document = finished.document();
    assert!(document["error"].is_string());
    assert!(variant(&document, "threads")["ledger"]["done"].as_u64() > Some(0));
    assert_nothing_left_behind(BINARY);
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
    assert_eq!(variant(&document, "threads 10")["ledger"]["done"], 10);
    let names = document["variants"].as_array().expect("variants").iter();
    assert!(
        names.clone().all(|one| one["name"] != "tasks 200"),
        "it was not tried"
    );
    let finished = run_command(limited("\"$@\"")).well();
    for side in ["threads", "tasks"] {
        let line = format!("{side} 200: not run; open files (ulimit -n): 200 needed, 96 allowed");
        finished.tells(&[&line]);
    }
    assert_nothing_left_behind(BINARY);
}
