//! The advice as its user meets it.

use serde_json::Value;
use std::path::Path;
use testing::{Finished, run};

fn advise(arguments: &[&str]) -> Finished {
    run(Path::new(env!("CARGO_BIN_EXE_lab-advise")), arguments)
}

#[test]
fn bad_values_are_refused_in_one_line_with_their_range() {
    for (flag, value, range) in [
        ("--items", "0", "from 1 to 1000000"),
        ("--wait", "2h", "from 0 to 3600 s"),
        ("--cpu", "-1ms", "from 0 to 3600 s"),
        ("--bytes-in", "1GB", "from 0 to 256MiB"),
        ("--bytes-out", "much", "from 0 to 256MiB"),
        ("--limit", "0", "from 1 to 100000"),
        ("--with", "fibers", "threads, async, processes"),
        ("--width", "20", "50..=200"),
    ] {
        let _ = advise(&[flag, value]).refused(2, &[value, range]);
    }
}

#[test]
fn without_a_terminal_it_says_which_flags_it_needs() {
    let _ = advise(&[]).refused(2, &["--items N", "--wait TIME", "--cpu TIME"]);
    let _ = advise(&["--json"]).refused(2, &["--items N"]);
    let _ = advise(&["--wait", "1ms"]).refused(2, &["--items N"]);
    let _ = advise(&["--items", "10"]).refused(2, &["--wait TIME", "--cpu TIME"]);
}

fn document() -> Value {
    let finished = advise(&["--items", "20", "--wait", "50ms", "--json"]).well();
    serde_json::from_str(&finished.stdout).expect("JSON and nothing else")
}

#[test]
fn the_document_has_a_prediction_with_its_range_for_each_way() {
    let document = document();
    let ways = document["ways"].as_array().expect("a list");
    let names: Vec<&str> = ways.iter().filter_map(|way| way["way"].as_str()).collect();
    let all = [
        "one_by_one",
        "threads",
        "tasks",
        "rayon",
        "processes",
        "tasks_and_processes",
    ];
    assert_eq!(names, all);
    for way in ways {
        let [low, middle, high] =
            ["low_s", "predicted_s", "high_s"].map(|name| way[name].as_f64().expect("a time"));
        assert!(0.0 < low && low <= middle && middle <= high, "{way}");
        assert!(
            way["limited_by"].is_string() && way["at_once"].is_u64(),
            "{way}"
        );
    }
    // No machine waits faster than the time that is waited.
    assert!(ways[0]["predicted_s"].as_f64() >= Some(1.0), "{document}");
    assert!(ways[2]["predicted_s"].as_f64() >= Some(0.05), "{document}");
}

#[test]
fn the_document_has_the_costs_and_what_to_use_in_python() {
    let document = document();
    for cost in [
        "thread_s",
        "task_s",
        "process_s",
        "pool_s",
        "handoff_s",
        "mib_s",
        "free_cpus",
    ] {
        assert!(document["costs"][cost]["middle"].is_f64(), "{cost}");
    }
    let pythons = document["python"]["each"].as_array().expect("a list");
    assert_eq!(pythons.len(), 2);
    assert!(
        pythons
            .iter()
            .all(|one| one["class"].is_string() && one["advice"].is_string())
    );
}

#[test]
fn what_must_be_contained_is_left_to_processes() {
    let finished = advise(&["--items", "4", "--cpu", "1ms", "--crash", "--json"]).well();
    let document: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let used = document["use"].as_str().expect("a way");
    assert!(used.contains("processes"), "{used}");
}

#[test]
fn the_screen_fits_and_can_be_plain() {
    let flags = [
        "--items", "1000", "--wait", "50ms", "--cpu", "1ms", "--limit", "50",
    ];
    for (width, more) in [(80, &["--ascii"][..]), (60, &[])] {
        let columns = width.to_string();
        let finished = advise(&[&flags[..], &["--width", &columns], more].concat()).well();
        let lines: Vec<&str> = finished.stdout.lines().collect();
        let most = if width == 80 { 40 } else { 50 };
        assert!(lines.len() <= most, "{}", finished.stdout);
        let wide = lines.iter().find(|line| line.chars().count() > width);
        assert_eq!(wide, None, "{}", finished.stdout);
        assert!(
            more.is_empty() || finished.stdout.is_ascii(),
            "{}",
            finished.stdout
        );
        assert!(!finished.stdout.contains('\u{1b}'), "{}", finished.stdout);
        finished.tells(&["USE", "limited by", "one by one", "Python"]);
    }
}
