//! What a parent, a limit or a neighbour does to a step: it keeps to it, or says so in one line.
//!
//! `cargo test --test surroundings -- --nocapture` prints a line for each.

#![cfg(target_os = "linux")]

mod support;

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::binaries;
use testing::{Finished, assert_nothing_left_behind, run_command};

const QUICK: [&str; 4] = ["--requests", "1", "--delay", "0"];

fn lab_01() -> &'static Path {
    &binaries()["lab-01-sequential-fetch"]
}

/// Runs lab 01 from a shell that has done `first`.
fn after(first: &str, flags: &[&OsStr]) -> Finished {
    let mut command = Command::new("sh");
    let script = format!("{first}; exec \"$0\" \"$@\"");
    command
        .args(["-c", &script])
        .arg(lab_01())
        .args(QUICK)
        .args(flags);
    run_command(command)
}

/// Starts a step that waits for keys, and returns it once it asks for the first: it is all set up then.
fn paused(command: &mut Command) -> (Child, ChildStderr) {
    let command = command.arg("--pause").stdin(Stdio::piped());
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stderr = child.stderr.take().expect("it is piped");
    stderr.read_exact(&mut [0]).expect("it asks");
    (child, stderr)
}

/// Presses keys, and returns what the step printed until its end, and its exit code.
fn press(keys: &[u8], (mut child, mut stderr): (Child, ChildStderr)) -> (String, Option<i32>) {
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(keys).expect("it listens");
    drop(stdin);
    let mut told = String::new();
    // Read to its end: a full pipe would hold it.
    let _ = stderr.read_to_string(&mut told);
    (told, child.wait().expect("it ends").code())
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.expect("kill starts").success());
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    for (name, flag) in [("HUP", "-HUP"), ("INT", "-INT"), ("TERM", "-TERM")] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {name}; exec \"$0\" \"$@\"")]);
        let started = paused(command.arg(lab_01()).args(QUICK));
        signal(&started.0, flag);
        let (told, code) = press(b"\n\n\n", started);
        assert_eq!(code, Some(0), "{name}: {told}");
        println!("{name} ignored: the run goes on to its end");
    }
}

#[test]
fn a_limit_is_named_in_one_line_and_leaves_no_half_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for flag in ["--report", "--trace", "--cast"] {
        let file = folder.path().join("result");
        let _ = after("ulimit -f 1", &[flag.as_ref(), file.as_os_str()])
            .refused(1, &["ulimit -f", flag]);
        assert_eq!(
            fs::read_dir(folder.path()).expect("there").count(),
            0,
            "{flag}"
        );
        println!("{flag} past ulimit -f: one line, no file");
    }
    let _ = after("ulimit -s 64", &[]).refused(1, &["ulimit -s"]);
    let _ = after("ulimit -n 6", &[]).refused(1, &["ulimit -n"]);
    println!("too small a stack, too few files: one line each");
}

#[test]
fn a_path_need_not_be_utf_8() {
    let folder = tempfile::tempdir().expect("a folder");
    for flag in ["--report", "--trace", "--cast"] {
        let file = folder.path().join(OsStr::from_bytes(b"a\xffb"));
        let _ = after("true", &[flag.as_ref(), file.as_os_str()]).well();
        assert!(file.exists());
        fs::remove_file(file).expect("ours");
    }
    println!("paths with a byte 0xFF: written");
}

#[test]
fn workers_are_the_running_image_whatever_lies_at_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("t");
    fs::copy(&binaries()["lab-04-gil-processes"], &program).expect("room");
    let mut command = Command::new(&program);
    let started = paused(command.args(["--rounds", "1", "--scale", "1"]));
    let seen = folder.path().join("seen");
    let script = format!("#!/bin/sh\necho >> '{}'\n", seen.display());
    let other = folder.path().join("t (deleted)");
    fs::write(&other, &script).expect("room");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&other, mode).expect("ours");
    fs::remove_file(&program).expect("ours");
    let (told, code) = press(b"\n", started);
    assert_eq!(code, Some(0), "{told}");
    assert!(!seen.exists(), "a stranger ran as its worker");
    println!("program removed, a stranger at its old name: workers of its own");
}

#[test]
fn a_time_in_which_the_program_was_stopped_proves_nothing() {
    let mut child = Command::new(lab_01())
        .args(["--requests", "2", "--delay", "1", "--width", "80"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    // A second of waiting is left then.
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("200")));
    assert!(first.is_some(), "it printed no answer");
    signal(&child, "-STOP");
    signal(&child, "-CONT");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(
        rest.join(" ").contains("was stopped for a while"),
        "{rest:#?}"
    );
    println!("stopped and continued: its times prove nothing");
}

#[test]
fn a_killed_tour_leaves_no_step_behind() {
    let tour = &binaries()["lab-00-tour"];
    let mut child = Command::new(tour)
        .args(["--no-build", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let deadline = Instant::now() + Duration::from_secs(60);
    let step = loop {
        let of_it = fs::read_to_string(&children).unwrap_or_default();
        // Forked, it is still the tour; its own arguments come with its program.
        let is_step = |pid: &&str| {
            let exe = fs::read_link(format!("/proc/{pid}/exe"));
            exe.is_ok_and(|exe| binaries().values().any(|path| *path == exe && path != tour))
        };
        if let Some(pid) = of_it.split_whitespace().find(is_step) {
            break pid.to_owned();
        }
        assert!(Instant::now() < deadline, "it started no step");
        thread::sleep(Duration::from_millis(5));
    };
    signal(&child, "-KILL");
    let _ = child.wait();
    // Gone, or gone and not yet taken away by whoever inherits it.
    let runs = || {
        let stat = fs::read_to_string(format!("/proc/{step}/stat")).unwrap_or_default();
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with(['R', 'S', 'D', 'T']))
    };
    while runs() {
        assert!(Instant::now() < deadline, "{step} survived");
        thread::sleep(Duration::from_millis(5));
    }
    binaries().values().for_each(assert_nothing_left_behind);
    println!("a killed tour: nothing stays behind");
}
