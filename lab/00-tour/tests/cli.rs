//! The tour as its user meets it, as far as it needs no step; `tests/` of the repository has the rest.

use serde_json::{Value, json};
use std::{ffi::OsStr, fs, path::Path, process::Command};
use testing::{Finished, run, run_command};

fn tour(arguments: &[&str]) -> Finished {
    run(Path::new(env!("CARGO_BIN_EXE_lab-00-tour")), arguments)
}

#[test]
fn it_lists_the_path_and_its_wings() {
    let all = [
        "basics-0-sequential",
        "lab-19-async-vs-threads-fx",
        "23 steps",
    ];
    tour(&["list"]).well().tells(&all);
    for arguments in [["--only", "basics", "list"], ["list", "--only", "basics"]] {
        let basics = tour(&arguments).well();
        basics.tells(&["basics-0-sequential", "4 steps"]);
        assert!(!basics.stdout.contains("lab-"), "{}", basics.stdout);
    }
}

#[test]
fn it_teaches_in_its_help() {
    tour(&["--help"])
        .well()
        .tells(&["list", "07", "--only", "advanced", "--no-build", "--report"]);
}

#[test]
fn what_it_does_not_know_and_what_it_would_ignore_is_refused() {
    let _ = tour(&["99"]).refused(2, &["no step `99`", "cargo run -- list"]);
    let _ = tour(&["--nonsense"]).refused(2, &["--nonsense", "--help"]);
    let _ = tour(&["list", "basics"]).refused(2, &["basics"]);
    let _ = tour(&["--only", "nowhere"]).refused(2, &["nowhere", "advanced"]);
    for (flag, what) in [("--json", "07"), ("--full", "basics-0"), ("--json", "list")] {
        let _ = tour(&[flag, what]).refused(2, &[flag, what]);
    }
    let _ = tour(&["--report", "x.html", "07"]).refused(2, &["--report", "07"]);
    let _ = tour(&["--report", "/nowhere/x.html"]).refused(1, &["/nowhere/x.html", "--report"]);
    let _ = tour(&["--only", "basics", "07"]).refused(2, &["--only", "07"]);
}

fn tour_with(progress: impl AsRef<OsStr>, arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-00-tour"));
    command.args(arguments).env("LAB_PROGRESS", progress);
    run_command(command)
}

#[test]
fn next_is_the_first_step_of_the_path_that_has_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("progress.json");
    tour_with(&kept, &["next"])
        .well()
        .tells(&["cargo run -p basics-0-sequential"]);
    let keep = |steps: &[&str]| {
        let steps: serde_json::Map<String, Value> = steps
            .iter()
            .map(|step| ((*step).to_owned(), json!(1)))
            .collect();
        fs::write(&kept, json!({ "steps": steps }).to_string()).expect("writable");
    };
    keep(&["basics-0-sequential", "basics-2-single-threaded"]);
    tour_with(&kept, &["next"])
        .well()
        .tells(&["cargo run -p basics-1-multiprocess"]);
    let all: Vec<&str> = lab_00_tour::path::PATH
        .iter()
        .map(|stop| stop.package)
        .collect();
    keep(&all);
    tour_with(&kept, &["next"])
        .well()
        .tells(&["all steps", "cargo run -- drill"]);
}

#[test]
fn progress_shows_what_was_done_and_where_intuition_is_off_until_it_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("progress.json");
    let what = json!({
        "steps": { "basics-0-sequential": 3, "lab-06-race-condition": 1 },
        "predictions": { "lab-06-race-condition": [["How many are lost?", false], ["And now?", true]] },
        "drills": ["d03_lost_update"],
        "hints": {},
        "diagnoses": { "two steps": { "two steps": 2, "no lock": 1 } },
    });
    fs::write(&kept, what.to_string()).expect("writable");
    let shown = tour_with(&kept, &["progress"]).well().stdout;
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    for line in [
        "steps run     2 of 23: basics-0-sequential, lab-06-race-condition",
        "drills done   1 of 20: 3",
        "predictions   1 of 2 right",
        "off: How many are lost?",
        "diagnoses     2 of 3 right",
        "1 × wrong: two steps; taken for: no lock",
        "cargo run -p basics-1-multiprocess",
        "cargo run -- drill 2  (fits lab-06-race-condition)",
    ] {
        assert!(lines.contains(&line), "{line}\n{shown}");
    }
    assert_eq!(
        tour_with(&kept, &["progress", "--json"]).well().document(),
        what
    );
    for _ in 0..2 {
        tour_with(&kept, &["progress", "--forget"])
            .well()
            .tells(&["nothing is kept"]);
        assert!(!kept.exists());
    }
    tour_with(&kept, &["progress"])
        .well()
        .tells(&["0 of 23", "none yet"]);
}

#[test]
fn progress_that_cannot_be_read_is_named_with_a_way_out_and_never_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("progress.json");
    for text in [
        &b"my thesis"[..],
        b"",
        b"[]",
        b"{\"steps\": 3}",
        b"\xff\xfe",
    ] {
        fs::write(&kept, text).expect("writable");
        for command in [&["next"][..], &["progress"], &["progress", "--json"]] {
            let finished = tour_with(&kept, command);
            let words = ["cannot read progress", "progress.json", "LAB_PROGRESS"];
            let _ = finished.refused(1, &words);
        }
        let forgotten = tour_with(&kept, &["progress", "--forget"]);
        let _ = forgotten.refused(1, &["cannot read progress"]);
        assert_eq!(fs::read(&kept).expect("it is still there"), text);
    }
    for place in [folder.path(), Path::new("/dev/full")] {
        let _ = tour_with(place, &["progress"]).refused(1, &["cannot read progress"]);
        let _ = tour_with(place, &["progress", "--forget"]).refused(1, &["no file"]);
        assert!(place.exists(), "{place:?}");
    }
    for (command, other) in [("next", "--json"), ("progress", "--all"), ("progress", "1")] {
        let _ = tour(&[command, other]).refused(2, &[command, other, "--forget"]);
    }
}

#[test]
fn next_and_progress_have_help_and_a_game_that_is_none_is_refused_with_those_there_are() {
    for line in [["next", "--help"], ["progress", "-h"]] {
        tour(&line).well().tells(&["LAB_PROGRESS", "--forget"]);
    }
    for bad in ["0", "13", "x", "-1"] {
        let _ = tour(&["play", bad]).refused(2, &[&format!("no game `{bad}`"), "1 to 12"]);
    }
    let _ = tour(&["play", "--moves", "12"]).refused(2, &["which game?", "play 1 --moves 12"]);
}
