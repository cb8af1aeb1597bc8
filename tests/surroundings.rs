//! What a parent, a limit or a neighbour does to a step: it keeps to it, or says so in one line.
//!
//! `cargo test --test surroundings -- --nocapture` prints a line for each.

#![cfg(target_os = "linux")]

mod support;

use std::{
    ffi::OsStr,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::binaries;
use testing::{Finished, assert_nothing_left_behind, contradictions, run_command};

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

fn signal(pid: &str, name: &str) {
    let status = Command::new("kill").args([name, pid]).status();
    assert!(status.expect("kill starts").success());
}

#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    for (name, flag) in [("HUP", "-HUP"), ("INT", "-INT"), ("TERM", "-TERM")] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {name}; exec \"$0\" \"$@\"")]);
        let started = paused(command.arg(lab_01()).args(QUICK));
        signal(&started.0.id().to_string(), flag);
        let (told, code) = press(b"\n\n\n", started);
        assert_eq!(code, Some(0), "{name}: {told}");
        println!("case: {name} ignored: the run goes on to its end");
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
        println!("case: {flag} past ulimit -f: one line, no file");
    }
    let _ = after("ulimit -s 64", &[]).refused(1, &["ulimit -s"]);
    println!("case: too small a stack: one line");
    for files in [6, 9, 12] {
        let limited = format!("ulimit -n {files}; exec \"$0\"");
        for step in ["lab-02-threaded-fetch", "lab-19-async-vs-threads-fx"] {
            let mut command = Command::new("sh");
            command.args(["-c", &limited]).arg(&binaries()[step]);
            let _ = run_command(command).refused(1, &["ulimit -n"]);
        }
        println!("case: {files} open files: one line that names the limit");
    }
    let mut command = Command::new("sh");
    let work = "ulimit -t 1; exec \"$0\" --rounds 1 --scale 10000";
    command
        .args(["-c", work])
        .arg(&binaries()["lab-04-gil-processes"]);
    let _ = run_command(command).refused(1, &["ulimit -t"]);
    println!("case: too little CPU time: one line before the system kills");
}

#[test]
fn standard_input_is_left_alone_and_may_be_closed_as_the_others() {
    let count = "n=0; while read -r _; do \"$0\" $1 >&2; n=$((n + 1)); done; echo $n";
    for (step, flags) in [
        ("lab-01-sequential-fetch", "--requests 1 --delay 0"),
        ("lab-04-gil-processes", "--rounds 1 --scale 1"),
    ] {
        let program = &binaries()[step];
        let run = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).arg(program).arg(flags);
            run_command(command).well()
        };
        let counted = run(&format!("printf 'a\\nb\\nc\\n' | {{ {count}; }}"));
        assert_eq!(counted.stdout, "3\n", "{step}");
        for closed in ["<&-", ">&-", "2>&-"] {
            let _ = run(&format!("exec \"$0\" $1 {closed}"));
        }
        println!("case: {step} in a loop over lines, and without stdin, stdout or stderr: it runs");
    }
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
    let mut command = Command::new(&binaries()["lab-03-gil-threads"]);
    let nowhere = OsStr::from_bytes(b"/nowhere/\xff");
    command
        .args(["--scale", "1"])
        .args([OsStr::new("--python"), nowhere]);
    let _ = run_command(command).refused(2, &["--python", "/nowhere/"]);
    println!("case: paths with a byte 0xFF: written, or refused in a line");
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
    println!("case: program removed, a stranger at its old name: workers of its own");
}

#[test]
fn where_few_threads_start_no_step_waits_for_one_that_cannot() {
    let as_another = "setpriv --reuid=64999 --regid=64999 --clear-groups";
    let works = Command::new("sh")
        .args(["-c", &format!("{as_another} true")])
        .output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("case: few threads: not tried, because the limit holds for another user only");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(folder.path(), mode(0o755)).expect("ours");
    for step in ["lab-17-async-basics", "lab-19-async-vs-threads-fx"] {
        let program = folder.path().join(step);
        fs::copy(&binaries()[step], &program).expect("room");
        for threads in 1..=5 {
            let mut command = Command::new("sh");
            let limited = format!("exec {as_another} prlimit --nproc={threads} \"$0\"");
            command.args(["-c", &limited]).arg(&program);
            let finished = run_command(command);
            let told = &finished.stderr;
            // A server says its own line, and its parent another.
            let is_told = told.contains("ulimit -u") && told.lines().count() <= 2;
            let is_well = finished.code == Some(0);
            assert!(
                is_well || is_told && finished.code == Some(1),
                "{step}: {told}"
            );
            assert!(!told.contains("panicked"), "{step}: {told}");
        }
        println!("case: {step} with one to five threads: a line, and no panic");
    }
}

#[test]
fn what_the_reader_set_for_python_does_not_reach_the_guest() {
    let has_python = Command::new("python3").arg("--version").output();
    if !has_python.is_ok_and(|output| output.status.success()) {
        println!("case: the reader's Python: not tried, because there is no python3");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("json.py"), "raise SystemExit(3)").expect("room");
    for (name, value) in [
        ("PYTHONPATH", folder.path().as_os_str()),
        ("PYTHONHOME", OsStr::new("/nowhere")),
        ("PYTHONINSPECT", OsStr::new("1")),
    ] {
        let mut command = Command::new(&binaries()["lab-03-gil-threads"]);
        let flags = ["--rounds", "1", "--scale", "1", "--python", "python3"];
        let _ = run_command({
            command
                .args(flags)
                .env(name, value)
                .current_dir(folder.path());
            command
        })
        .well();
        println!("case: {name} set: the guest runs");
    }
}

#[test]
fn a_report_through_a_link_that_leads_nowhere_keeps_the_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let [link, file] = ["link", "file"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&file, &link).expect("room");
    let _ = after("true", &["--report".as_ref(), link.as_os_str()]).well();
    assert!(link.is_symlink() && file.is_file());
    println!("case: a report through a dangling link: written where it leads");
}

/// The children of a process, by its main thread.
fn children(of: u32) -> Vec<String> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

/// `R`, `S`, `T` and the like, or nothing for a process that is not there.
fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

#[test]
fn a_time_in_which_a_process_was_stopped_proves_nothing() {
    for who in ["the program", "its child alone"] {
        let mut child = Command::new(lab_01())
            .args(["--requests", "2", "--delay", "1", "--width", "80"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        // A second of waiting is left then.
        let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("200")));
        assert!(first.is_some(), "it printed no answer");
        let pid = match who {
            "the program" => child.id().to_string(),
            _ => children(child.id()).remove(0),
        };
        signal(&pid, "-STOP");
        let deadline = Instant::now() + Duration::from_secs(60);
        while state(&pid) != Some('T') {
            assert!(Instant::now() < deadline, "{who} does not stop");
            thread::sleep(Duration::from_millis(5));
        }
        signal(&pid, "-CONT");
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        let told = rest.join(" ");
        assert!(told.contains("was stopped for a while"), "{who}: {rest:#?}");
        println!("case: {who} stopped and continued: its times prove nothing");
    }
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
    let deadline = Instant::now() + Duration::from_secs(60);
    let step = loop {
        // Forked, it is still the tour; its own arguments come with its program.
        let is_step = |pid: &String| {
            let exe = fs::read_link(format!("/proc/{pid}/exe"));
            exe.is_ok_and(|exe| binaries().values().any(|path| *path == exe && path != tour))
        };
        if let Some(pid) = children(child.id()).into_iter().find(is_step) {
            break pid;
        }
        assert!(Instant::now() < deadline, "it started no step");
        thread::sleep(Duration::from_millis(5));
    };
    signal(&child.id().to_string(), "-KILL");
    let _ = child.wait();
    // Gone, or gone and not yet taken away by whoever inherits it.
    let runs = || matches!(state(&step), Some('R' | 'S' | 'D' | 'T'));
    while runs() {
        assert!(Instant::now() < deadline, "{step} survived");
        thread::sleep(Duration::from_millis(5));
    }
    binaries().values().for_each(assert_nothing_left_behind);
    println!("case: a killed tour: nothing stays behind");
}

/// A group whose processes get one and a half CPUs; a shell removes it when this has gone, however.
struct Quota(PathBuf, Child);

impl Quota {
    fn new() -> io::Result<Self> {
        let groups = Path::new("/sys/fs/cgroup");
        let is_unified = groups.join("cgroup.controllers").exists();
        let above = if is_unified {
            groups.into()
        } else {
            groups.join("cpu")
        };
        let folder = above.join(format!("lab-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let remove = "trap '' INT TERM HUP; read -r _; until rmdir \"$0\"; do sleep 1; done";
        let mut keeper = Command::new("sh");
        keeper.args(["-c", remove]).arg(&folder);
        let keeper = keeper.stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let group = Self(folder, keeper);
        let files: &[_] = match is_unified {
            true => &[("cpu.max", "150000 100000")],
            false => &[
                ("cpu.cfs_period_us", "100000"),
                ("cpu.cfs_quota_us", "150000"),
            ],
        };
        for (file, text) in files {
            fs::write(group.0.join(file), text)?;
        }
        Ok(group)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Its standard input is closed before it is waited for.
        let _ = self.1.wait();
    }
}

#[test]
fn under_a_quota_nothing_is_better_than_its_bound() {
    let group = match Quota::new() {
        Ok(group) => group,
        Err(why) => return println!("case: a quota of 1.5 CPUs: skipped: no group: {why}"),
    };
    let join = "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"";
    for step in ["lab-04-gil-processes", "lab-16-processes-vs-threads"] {
        let mut command = Command::new("sh");
        command
            .args(["-c", join])
            .arg(&group.0)
            .arg(&binaries()[step]);
        command.args(["--rounds", "2", "--json"]);
        let document = run_command(command).well().document();
        assert_eq!(document["host"]["quota"], 1.5, "{step}");
        for variant in document["variants"].as_array().expect("a list") {
            let share = variant["efficiency"].as_f64();
            assert!(share <= Some(1.0), "{step}: {variant:#}");
        }
        assert_eq!(contradictions(&document), [""; 0], "{step}");
        println!("case: {step}, a quota of 1.5 CPUs: nothing above 100 % of a bound");
    }
}
