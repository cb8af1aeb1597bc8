//! The binary as a user runs it.

use serde_json::Value;
use testing::{run, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-12-race-conditions");
const QUICK: [&str; 4] = ["--increments", "2000", "--trials", "4"];

fn json(args: &[&str]) -> Value {
    let args: Vec<&str> = ["--json"].iter().chain(args).copied().collect();
    run(BINARY, &args).well().document()
}

fn results<'a>(document: &'a Value, name: &str) -> &'a Value {
    &variant(document, name)["results"]
}

#[test]
fn all_six_schedules_are_forced_four_lose_and_the_checker_agrees() {
    let document = json(&QUICK);
    let forced = results(&document, "forced");
    assert_eq!(forced["schedules"], 6);
    assert_eq!(forced["in_the_order_asked_for"], 6);
    assert_eq!(forced["losing_an_update"], 4);
    let written = forced["played"].as_array().expect("each is told");
    let written: Vec<&Value> = written.iter().map(|one| &one["schedule"]).collect();
    assert_eq!(written, ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]);
    let checker = results(&document, "checker");
    for (program, schedules, failing) in [
        ("counter", 6, 4),
        ("counter_repaired", 2, 0),
        ("account", 6, 4),
        ("account_repaired", 2, 0),
        ("audit", 6, 2),
        ("audit_repaired", 2, 0),
    ] {
        assert_eq!(checker[program]["schedules"], schedules, "{program}");
        assert_eq!(checker[program]["failing"], failing, "{program}");
        assert_eq!(checker[program]["complete"], true, "{program}");
    }
    for always in [
        "one thread alone",
        "in one step",
        "real threads made",
        "updates were lost exactly",
        "both checks before",
        "check and act in one section",
        "the checker, which",
        "in none of the schedules",
    ] {
        assert_eq!(verdict(&document, always), "shown", "{always}");
    }
}

#[test]
fn with_the_scripts_numbers_the_widened_window_loses_in_every_trial() {
    let document = json(&["--trials", "3"]);
    let widened = results(&document, "widened");
    assert_eq!(widened["expected"], 400_000);
    assert_eq!(widened["went_wrong"], 3);
    let ledger = &variant(&document, "widened")["ledger"];
    assert_eq!((&ledger["done"], &ledger["failed"]), (&3.into(), &0.into()));
    assert_eq!(results(&document, "one step")["got"][2], 400_000);
    assert_eq!(variant(&document, "widened")["ledger"]["threads"], 5);
}

#[test]
fn every_trial_has_its_place_in_a_table() {
    let document = json(&QUICK);
    let sum = |trials: &Value| -> u64 {
        let occurrences = trials["occurrences"].as_array().expect("a table");
        occurrences.iter().filter_map(Value::as_u64).sum()
    };
    for name in ["tight", "widened", "one step"] {
        assert_eq!(sum(results(&document, name)), 4, "{name}");
    }
    for (name, trials) in [("account", 100), ("audit", 100)] {
        for way in ["tight", "widened", "repaired"] {
            assert_eq!(sum(&results(&document, name)[way]), trials, "{name}: {way}");
        }
    }
    let observed = results(&document, "observed");
    assert_eq!(observed["unlisted"], 0);
    let seen = observed["seen"].as_object().expect("orders and how often");
    let times: u64 = seen.values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(times), observed["trials"].as_u64());
}

#[test]
fn a_schedule_is_forced_as_written() {
    let document = json(&["--schedule", "ABCCBA"]);
    let played = &results(&document, "forced")["played"][0];
    assert_eq!(played["schedule"], "ABCCBA");
    assert_eq!(played["result"], 1);
    assert_eq!(variant(&document, "forced")["ledger"]["threads"], 4);
    assert_eq!(verdict(&document, "real threads made"), "shown");
    run(BINARY, &["--schedule", "abba"]).well().tells(&[
        "1. A loads 0",
        "2. B loads 0",
        "3. B stores 1",
        "4. A stores 1",
        "Expected: 2, Got: 1",
    ]);
}

#[test]
fn larger_programs_are_listed_as_far_as_they_can_be() {
    let quick = ["--trials", "1"];
    for (threads, increments, listed, checked) in [
        ("3", "1", 90, 90),
        ("2", "2", 70, 70),
        ("4", "1", 2520, 6),
        ("4", "2", 6, 6),
    ] {
        let args = ["--threads", threads, "--increments", increments];
        let document = json(&[&args[..], &quick].concat());
        assert_eq!(results(&document, "forced")["schedules"], listed);
        assert_eq!(
            results(&document, "forced")["in_the_order_asked_for"],
            listed
        );
        let checker = results(&document, "checker");
        assert_eq!(checker["counter"]["schedules"], checked);
        assert_eq!(verdict(&document, "updates were lost exactly"), "shown");
    }
}

#[test]
fn a_single_thread_loses_nothing_and_is_told_why() {
    let document = json(&["--threads", "1", "--increments", "100"]);
    assert_eq!(results(&document, "widened")["went_wrong"], 0);
    assert_eq!(
        verdict(&document, "held open, the window lost updates"),
        "not_shown"
    );
    assert_eq!(results(&document, "forced")["schedules"], 6);
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    for (bad, why) in [
        ("", "2 to 64 letters"),
        ("ABB", "`A` is there 1×"),
        ("AABBBB", "each thread takes as many steps"),
        ("ACCA", "`B` is there 0×"),
        ("AB!A", "`!` is no thread"),
    ] {
        let _ = run(BINARY, &["--schedule", bad]).refused(2, &["--schedule", why]);
    }
    let both = ["--schedule", "ABBA", "--threads", "2"];
    let _ = run(BINARY, &both).refused(2, &["--schedule", "--threads"]);
    let all = ["--threads", "64", "--increments", "10000000"];
    let _ = run(BINARY, &all).refused(2, &["12,800,000,000 increments", "lower one"]);
}
