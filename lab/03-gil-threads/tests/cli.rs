//! The binary as a user runs it.

use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{self, Command},
};
use testing::{Finished, run, run_command, variant, verdict};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-03-gil-threads");
const SMALL: [&str; 6] = ["--rounds", "2", "--work", "50_000", "--scale", "100"];

fn small(more: &[&str]) -> Finished {
    run(BINARY, &[&SMALL, more].concat())
}

#[test]
fn every_way_does_both_jobs_and_the_gil_lets_one_run_at_a_time() {
    let flags = ["--no-python", "--json", "--switch-interval", "1"];
    let document = small(&flags).well().document();
    for (name, lanes) in [
        ("sequential", 1),
        ("two threads", 2),
        ("two threads, GIL", 2),
    ] {
        let variant = variant(&document, name);
        assert_eq!(variant["ledger"]["done"], 2, "{name}");
        assert_eq!(variant["runs"], 2, "{name}");
        let drawn = variant["lanes"].as_array().map(Vec::len);
        assert_eq!(drawn, Some(lanes), "{name}");
    }
    assert_eq!(verdict(&document, "gil_takes_turns"), "shown");
    assert_eq!(verdict(&document, "waits_overlap"), "shown");
    let held = variant(&document, "waits, GIL held");
    let two_in_a_row = held["wall_min_s"].as_f64() >= Some(0.2);
    assert!(two_in_a_row, "{held}");
    assert_eq!(document["variants"].as_array().map(Vec::len), Some(5));
    let lanes = &variant(&document, "two threads, GIL")["lanes"];
    let spans = |lane: usize| lanes[lane]["spans"].as_array().expect("a list").iter();
    let mut waits = (0..2)
        .flat_map(spans)
        .filter(|span| span["name"] == "wait for GIL");
    assert!(waits.all(|span| span["wait"] == "lock"));
}

#[test]
fn the_readers_own_python_takes_part_when_there_is_one() {
    let document = small(&["--json"]).well().document();
    let has_python = document["params"]["python_is"].is_string();
    let variants = document["variants"].as_array().map(Vec::len);
    assert_eq!(variants, Some(if has_python { 7 } else { 5 }));
    if has_python {
        for name in ["python sequential", "python threads"] {
            let variant = variant(&document, name);
            assert_eq!(variant["ledger"]["done"], 2, "{name}");
            assert_eq!(variant["ledger"]["processes"], 2, "{name}");
            assert_eq!(
                variant["lanes"][0]["spans"].as_array().map(Vec::len),
                Some(2)
            );
        }
    }
}

#[test]
fn without_a_python_one_line_says_so_and_the_rest_runs() {
    let mut command = Command::new(BINARY);
    command.args(SMALL).env("PATH", "/nowhere");
    let finished = run_command(command).well();
    finished.tells(&["cannot start `python3`", "--python PATH names another"]);
    assert!(
        !finished.stdout.contains("python threads"),
        "{}",
        finished.stdout
    );
}

#[test]
fn combinations_that_cannot_be_meant_are_refused() {
    let _ = run(BINARY, &["--python", "x", "--no-python"]).refused(2, &["--no-python"]);
}

#[test]
fn what_is_no_python_is_one_line_and_exit_code_2() {
    let _ = small(&["--python", "/nowhere/python3"]).refused(2, &["`/nowhere/python3`"]);
    let _ = small(&["--python", BINARY]).refused(2, &[BINARY, "no answer", "--no-python"]);
}

/// What the step makes of a Python that pretends; unlike a real one, it is the same everywhere.
#[cfg(unix)]
fn beside(pretended: &str) -> Finished {
    run_command(command_beside(pretended))
}

#[cfg(unix)]
fn command_beside(pretended: &str) -> Command {
    let pretend = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pretend_python.sh");
    let mut command = Command::new(BINARY);
    command.args(SMALL).args(["--json", "--python", pretend]);
    command.env("PRETEND", pretended);
    command
}

/// The names of the claims about Python.
fn python_claims(document: &Value) -> Vec<&str> {
    let claims = document["claims"].as_array().expect("a list").iter();
    let names = claims.filter_map(|claim| claim["name"].as_str());
    names.filter(|name| name.starts_with("python")).collect()
}

#[cfg(unix)]
#[test]
fn what_is_claimed_of_python_follows_from_whether_it_has_a_gil() {
    let document = beside("without-gil").well().document();
    assert_eq!(python_claims(&document), ["python_verdict"]);
    let params = &document["params"];
    assert_eq!(params["python_is"], "pretend 3.99.0, GIL off");
    let unknown = beside("unknown").well().document();
    assert_eq!(python_claims(&unknown), ["python_verdict"]);
    assert_eq!(
        unknown["params"]["python_is"],
        "pretend 3.99.0, GIL unknown"
    );
}

#[cfg(unix)]
#[test]
fn a_python_before_3_is_refused() {
    let _ = beside("old").refused(2, &["Python 2.7.18, not Python 3", "--no-python"]);
}

#[cfg(unix)]
#[test]
fn a_python_that_ends_in_the_middle_fails_the_run_and_loses_no_result() {
    let note = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.end", process::id()));
    let mut command = command_beside("ends");
    command.env("PRETEND_NOTE", &note);
    let finished = run_command(command).refused(1, &["pretend_python.sh`: MemoryError"]);
    fs::remove_file(note).expect("the first round was over");
    let document = finished.document();
    assert_eq!(variant(&document, "python threads")["runs"], 1);
    assert_eq!(variant(&document, "two threads")["runs"], 2);
}

#[cfg(unix)]
#[test]
fn a_python_that_counts_wrong_fails_the_run_and_shows_nothing() {
    let finished = beside("wrong").refused(1, &["other sums on threads", "--no-python"]);
    let document = finished.document();
    assert_eq!(variant(&document, "python threads")["ledger"]["failed"], 2);
    assert_eq!(python_claims(&document), [""; 0]);
}

#[test]
fn a_path_is_told_in_one_line() {
    let _ = small(&["--python", "/nowhere/x\ny"]).refused(2, &["`/nowhere/x\\ny`"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_python_that_hangs_does_not_survive_ctrl_c() {
    use std::{process::Stdio, thread, time::Duration};
    let told = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.pid", process::id()));
    let mut command = command_beside("hangs");
    command.env("PRETEND_NOTE", &told);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let step = command.spawn().expect("it starts");
    let python = loop {
        if let Ok(pid) = fs::read_to_string(&told) {
            break pid.trim().to_owned();
        }
        thread::sleep(Duration::from_millis(5));
    };
    let interrupt = Command::new("kill")
        .args(["-TERM", &step.id().to_string()])
        .status();
    assert!(interrupt.expect("there is a `kill`").success());
    let ended = step.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("interrupted"));
    // Killed, though perhaps not yet taken away by whoever inherits it.
    let runs = || {
        let stat = fs::read_to_string(format!("/proc/{python}/stat")).unwrap_or_default();
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with(['R', 'S', 'D', 'T']))
    };
    let mut looks = 0;
    while runs() {
        looks += 1;
        assert!(looks < 1_000, "{python} survived");
        thread::sleep(Duration::from_millis(5));
    }
    let _ = fs::remove_file(told);
}
