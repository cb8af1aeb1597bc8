//! An interrupt and worse: what was finished is reported, and nothing stays behind.
//!
//! SIGTERM stands for Ctrl-C: they are handled alike, and a shell without job control has SIGINT ignored.
//!
//! `--pause` holds a step after each variant until its input says go on, so a test knows where it
//! is without a clock.

#![cfg(unix)]

mod each;
mod support;

use each::every_step;
use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};
use support::binaries;
use testing::assert_nothing_left_behind;

/// A step that waits before its next variant.
struct Paused {
    child: Child,
    told: String,
}

impl Paused {
    /// Starts a step and lets it come to its first pause.
    fn start(binary: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(binary);
        command
            .args(flags)
            .arg("--pause")
            .env_remove("RUST_BACKTRACE");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut paused = Self {
            child: command.spawn().expect("it starts"),
            told: String::new(),
        };
        paused.wait();
        paused
    }

    /// Reads standard error up to the next prompt.
    fn wait(&mut self) {
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        let mut byte = [0];
        let before = self.told.len();
        while self.told.len() == before || !self.told.ends_with("q quits ") {
            assert_eq!(
                stderr.read(&mut byte).expect("it can be read"),
                1,
                "it ended: {}",
                self.told
            );
            self.told.push(char::from(byte[0]));
        }
    }

    /// Presses keys, and waits for the next prompt.
    fn press(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        stdin.write_all(keys.as_bytes()).expect("it listens");
        self.wait();
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill starts").success());
    }

    fn end(mut self) -> Output {
        // It ends by its signal, not because nobody is left to press a key.
        let _stdin = self.child.stdin.take();
        self.child.wait_with_output().expect("it ends")
    }
}

#[test]
fn an_interrupted_step_ends_with_one_line_and_leaves_nothing() {
    every_step(|stop, binary| {
        let paused = Paused::start(binary, stop.quick);
        paused.signal("-TERM");
        let output = paused.end();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {stderr}", stop.package);
        assert!(
            stderr.contains("error: interrupted"),
            "{}: {stderr}",
            stop.package
        );
        assert_eq!(
            stderr.trim().lines().count(),
            1,
            "{}: {stderr}",
            stop.package
        );
        assert_nothing_left_behind(binary);
    });
}

#[test]
fn what_was_finished_before_an_interrupt_is_reported() {
    let binary = &binaries()["lab-02-threaded-fetch"];
    let mut paused = Paused::start(binary, &["--delay", "0.01"]);
    paused.press("\n");
    paused.signal("-TERM");
    let output = paused.end();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let bar = |line: &str| line.contains("  sequential ") && line.contains('█');
    assert!(stdout.lines().any(bar), "its bar: {stdout}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_interrupt_under_json_still_prints_a_document_that_says_so() {
    let binary = &binaries()["lab-02-threaded-fetch"];
    let mut paused = Paused::start(binary, &["--delay", "0.01", "--json"]);
    paused.press("\n");
    paused.signal("-TERM");
    let output = paused.end();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(document["variants"].as_array().map(Vec::len), Some(1));
    assert!(
        document["error"]
            .as_str()
            .is_some_and(|error| error.contains("interrupted"))
    );
}

#[test]
fn a_reader_runs_a_variant_again_and_skips_the_next() {
    let binary = &binaries()["lab-02-threaded-fetch"];
    let mut paused = Paused::start(binary, &["--delay", "0.01", "--json"]);
    for keys in ["\n", "r\n", "s\n"] {
        paused.press(keys);
    }
    let stdin = paused.child.stdin.as_mut().expect("it is piped");
    stdin.write_all(b"\n").expect("it listens");
    let output = paused.end();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let variants = document["variants"].as_array().expect("a list");
    assert_eq!(variants.len(), 1);
    assert_eq!(
        (&variants[0]["name"], &variants[0]["runs"]),
        (&"sequential".into(), &1.into()),
        "the first take does not count"
    );
    assert_eq!(variants[0]["ledger"]["peak_in_flight"], 1);
    assert_eq!(document["skipped"], serde_json::json!(["threaded"]));
    for claim in document["claims"].as_array().expect("a list") {
        assert_eq!(claim["verdict"], "inconclusive");
        assert_eq!(claim["reason"], "`threaded` was skipped");
    }
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_killed_step_leaves_no_child_behind() {
    every_step(|stop, binary| {
        let paused = Paused::start(binary, stop.quick);
        paused.signal("-KILL");
        paused.end();
        assert_nothing_left_behind(binary);
    });
}

#[test]
fn an_interrupt_is_told_though_the_reader_of_the_report_has_gone() {
    let binary = &binaries()["lab-02-threaded-fetch"];
    let mut paused = Paused::start(binary, &["--delay", "0.01"]);
    paused.press("\n");
    drop(paused.child.stdout.take());
    paused.signal("-TERM");
    let output = paused.end();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("error: interrupted"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_step_whose_output_nobody_reads() {
    let binary = &binaries()["lab-01-sequential-fetch"];
    let mut child = Command::new(binary)
        .args(["--delay", "0", "--requests", "5000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let waits_in = format!("/proc/{0}/task/{0}/wchan", child.id());
    // Its lines fill the pipe sooner or later, and then it waits for a reader who does not come.
    while !std::fs::read_to_string(&waits_in).is_ok_and(|place| place.contains("pipe")) {
        assert!(child.try_wait().expect("it is ours").is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    let signalled = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(signalled.expect("kill starts").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_nothing_left_behind(binary);
}

#[cfg(target_os = "linux")]
#[test]
fn errors_that_cannot_be_written_leave_the_exit_code() {
    let binary = &binaries()["lab-02-threaded-fetch"];
    for (flags, code) in [
        (&["--requests", "0"][..], 2),
        (&["--url", "http://127.0.0.1:9/", "--requests", "1"][..], 1),
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let status = Command::new(binary)
            .args(flags)
            .stdout(Stdio::null())
            .stderr(full.expect("Linux has it"))
            .status();
        assert_eq!(status.expect("it starts").code(), Some(code), "{flags:?}");
    }
}
