//! `--cast`: what is shown is recorded by the rules of asciicast 2, and a terminal shows it again.

use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    num::NonZeroU16,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;
use testing::{Finished, run, run_command};

const BINARY: &str = env!("CARGO_BIN_EXE_lab-02-threaded-fetch");
const QUICK: [&str; 4] = ["--requests", "3", "--delay", "0.2"];

/// A recording, read by the rules of its format.
struct Recording {
    header: Value,
    /// Seconds, kind, data.
    events: Vec<(f64, String, String)>,
}

fn read(path: &Path) -> Recording {
    let text = fs::read_to_string(path).expect("it was written");
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let header = lines.next().expect("a header");
    assert_eq!(header["version"], 2);
    for size in ["width", "height"] {
        assert!(header[size].as_u64().is_some_and(|it| it > 0), "{header}");
    }
    assert!(header["timestamp"].is_u64() && header["title"].is_string());
    let events = lines.map(|event| {
        let event = event.as_array().expect("an event is a list");
        assert_eq!(event.len(), 3);
        let text = |index: usize| event[index].as_str().expect("text").to_owned();
        (event[0].as_f64().expect("seconds"), text(1), text(2))
    });
    let events: Vec<_> = events.collect();
    assert!(events.is_sorted_by(|one, next| one.0 <= next.0));
    assert!(
        events
            .iter()
            .all(|event| ["o", "m"].contains(&event.1.as_str()))
    );
    Recording { header, events }
}

impl Recording {
    fn of_kind(&self, kind: &str) -> Vec<&str> {
        let events = self.events.iter().filter(|event| event.1 == kind);
        events.map(|event| event.2.as_str()).collect()
    }

    fn size(&self) -> (NonZeroU16, NonZeroU16) {
        let side = |name: &str| -> Option<NonZeroU16> {
            NonZeroU16::new(self.header[name].as_u64()?.try_into().ok()?)
        };
        (side("height").expect("rows"), side("width").expect("cells"))
    }

    /// The last screen of a terminal that plays it.
    fn last_screen(&self) -> String {
        let (rows, columns) = self.size();
        let mut terminal = vt100::Parser::new(rows, columns, 0);
        terminal.process(self.of_kind("o").concat().as_bytes());
        trimmed(&terminal.screen().contents())
    }
}

fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// The last lines of `text` that a screen of so many rows has room for, with the cursor below.
fn tail(text: &str, rows: NonZeroU16) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let hidden = lines.len().saturating_sub(usize::from(rows.get()) - 1);
    trimmed(&lines[hidden..].join("\n"))
}

fn recorded(folder: &TempDir, flags: &[&str]) -> (Finished, Recording) {
    let path = folder.path().join("run.cast");
    let place = path.to_str().expect("a plain name");
    let finished = run(BINARY, &[&QUICK, flags, &["--cast", place]].concat());
    (finished, read(&path))
}

#[test]
fn a_terminal_that_plays_the_recording_ends_up_with_what_was_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (finished, recording) = recorded(&folder, &["--width", "100"]);
    let printed = finished.well().stdout;
    assert_eq!(recording.header["width"], 100);
    assert_eq!(recording.last_screen(), tail(&printed, recording.size().0));
    assert_eq!(recording.of_kind("m"), ["sequential", "threaded", "report"]);
    let shown = recording.of_kind("o").concat();
    assert!(
        shown.contains("\u{1b}[1m"),
        "colour, though nothing was shown on a terminal"
    );
    assert!(shown.contains("sequential · 0."), "the live view");
    assert!(!shown.contains("  \r\n"), "no blanks at the end of a line");
    let title = recording.header["title"].as_str().expect("text");
    assert!(
        title.starts_with("lab-02-threaded-fetch · one thread"),
        "{title}"
    );
}

#[test]
fn the_prompt_is_recorded_and_colour_can_be_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (finished, recording) = recorded(&folder, &["--pause", "--color", "never"]);
    let _ = finished.well();
    let shown = recording.of_kind("o");
    for (prompt, times) in [
        ("Enter runs `sequential`", 1),
        ("Enter goes on", 2),
        ("Enter shows", 1),
    ] {
        let prompts = shown.iter().filter(|text| text.starts_with(prompt));
        assert_eq!(prompts.count(), times, "{prompt}");
    }
    let paused = recording
        .events
        .windows(2)
        .filter(|pair| pair[1].0 - pair[0].0 >= 2.0);
    assert!(paused.count() >= 3, "a pause is two seconds");
    assert!(
        shown
            .iter()
            .all(|text| !text.contains('m') || !text.contains("\u{1b}[1m"))
    );
}

#[test]
fn a_take_is_not_overwritten_unless_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.cast");
    fs::write(&path, "a take").expect("there is room for that");
    let place = path.to_str().expect("a plain name");
    let refused = run(BINARY, &["--cast", place]);
    assert!(refused.stdout.is_empty());
    let _ = refused.refused(1, &["run.cast", "--force"]);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "a take");
    let _ = recorded(&folder, &["--force"]).0.well();
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_run_and_json_is_refused() {
    let nowhere = run(BINARY, &["--cast", "/nowhere/run.cast"]);
    assert!(nowhere.stdout.is_empty());
    let _ = nowhere.refused(1, &["the recording", "/nowhere/run.cast", "--cast"]);
    let both = run(BINARY, &["--json", "--cast", "/nowhere/run.cast"]);
    let _ = both.refused(2, &["--json", "--cast"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_old_recording_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.cast");
    fs::write(&path, "old").expect("there is room for that");
    let mut command = Command::new("sh");
    let full = "trap '' XFSZ && ulimit -f 1 && exec \"$0\" \"$@\"";
    command.args(["-c", full, BINARY]).args(QUICK);
    let finished = run_command({
        command.arg("--force").arg("--cast").arg(&path);
        command
    });
    finished.tells(&["threaded"]);
    let _ = finished.refused(1, &["cannot write the recording", "run.cast"]);
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "old");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_recorded_as_far_as_it_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.cast");
    let mut child = Command::new(BINARY)
        .args(["--delay", "60", "--timeout", "120", "--cast"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut printed = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    printed
        .find(|line| {
            line.as_ref()
                .is_ok_and(|line| line.starts_with("sequential:"))
        })
        .expect("it begins")
        .expect("a line");
    let interrupted = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("it runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let recording = read(&path);
    assert!(
        recording
            .of_kind("o")
            .concat()
            .contains("error: interrupted")
    );
    assert!(!recording.of_kind("m").contains(&"threaded"));
}

#[test]
fn results_in_files_outlive_whoever_reads_the_first_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let mut child = Command::new(BINARY)
        .args(["--requests", "2", "--delay", "0.2"])
        .arg("--cast")
        .arg(place("cast"))
        .arg("--report")
        .arg(place("page"))
        .arg("--trace")
        .arg(place("trace"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut printed = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    assert!(printed.next().is_some());
    drop(printed);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(
        read(&place("cast")).of_kind("m"),
        ["sequential", "threaded", "report"]
    );
    for name in ["page", "trace"] {
        let text = fs::read_to_string(place(name)).expect("it is written");
        assert!(text.contains("threaded"), "{name}");
    }
}

#[test]
fn two_results_do_not_go_to_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one");
    let name = path.to_string_lossy().into_owned();
    let dotted = folder.path().join("./one").to_string_lossy().into_owned();
    let _ = run(BINARY, &["--cast", &name, "--report", &dotted]).refused(2, &["two results"]);
    assert!(!path.exists());
}
