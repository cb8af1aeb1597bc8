//! The advice as its user meets it.

use serde_json::Value;
use std::{path::Path, process::Command};
use testing::{Finished, run, run_command};

fn advise(arguments: &[&str]) -> Finished {
    run(Path::new(env!("CARGO_BIN_EXE_lab-advise")), arguments)
}

#[test]
fn bad_values_are_refused_in_one_line_with_their_range() {
    for (flag, value, range) in [
        ("--wait", "2h", "from 0 to 3600 s"),
        ("--cpu", "-1ms", "from 0 to 3600 s"),
        ("--wait", "80", "80ms or 80s"),
        ("--bytes-in", "1GB", "from 0 to 256MiB"),
        ("--bytes-out", "much", "from 0 to 256MiB"),
        ("--with", "fibers", "threads, async, processes"),
        ("--width", "20", "from 50 to 200"),
        ("--grid", "0", "from 1 to 1000"),
    ] {
        let _ = advise(&[flag, value]).refused(2, &[value, range]);
    }
    for (flag, range) in [
        ("--items", "from 1 to 1000000"),
        ("--wait", "from 0 to 3600 s"),
        ("--cpu", "from 0 to 3600 s"),
        ("--run-limit", "from 0 to 3600 s"),
        ("--bytes-in", "from 0 to 256MiB"),
        ("--bytes-out", "from 0 to 256MiB"),
        ("--limit", "from 1 to 100000"),
        ("--grid", "from 1 to 1000"),
        ("--seed", "from 0 to 18446744073709551615"),
        ("--width", "from 50 to 200"),
    ] {
        for bad in ["1,5", "-1", "", "99999999999999999999999"] {
            let _ = advise(&[flag, bad]).refused(2, &[&format!("`{bad}`"), flag, range]);
        }
    }
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let _ = advise(&["--run", "true", "--wait", "1ms"]).refused(2, &["--run", "--wait"]);
    let _ = advise(&["--table", "--items", "3"]).refused(2, &["--table", "--items"]);
    let _ = advise(&["--run", "true"]).refused(2, &["how many items", "--items N"]);
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
        "threads", "thread", "task", "pool", "process", "handoff", "mib",
    ] {
        assert!(
            document["costs"]["prices_s"][cost]["middle"].is_f64(),
            "{cost}"
        );
    }
    assert!(document["costs"]["free_cpus"]["middle"].is_f64());
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

#[test]
fn without_a_python_the_costs_are_those_of_rust() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-advise"));
    command.args(["--items", "2", "--wait", "1ms"]);
    command.env("PATH", "/nowhere");
    let finished = run_command(command).well();
    finished.tells(&["no `python3` answers", "no GIL"]);
}

#[test]
fn what_was_tried_is_set_against_what_was_predicted() {
    let finished = advise(&["--items", "4", "--wait", "20ms", "--try", "--json"]).well();
    let document: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let tried = document["try"]["ways"].as_array().expect("a list");
    assert_eq!(tried.len(), 3, "{document}");
    for one in tried {
        let [predicted, took, error] =
            ["predicted_s", "took_s", "error"].map(|name| one[name].as_f64().expect("a figure"));
        assert!((predicted / took - 1.0 - error).abs() < 1e-6, "{one}");
        assert!(took >= 0.02, "{one}");
    }
}

#[test]
fn the_table_names_a_way_for_each_typical_job() {
    let finished = advise(&["--table", "--json"]).well();
    let table: Value = serde_json::from_str(&finished.stdout).expect("JSON");
    let rows = table["rows"].as_array().expect("rows");
    assert!(rows.len() >= 6, "{table}");
    for row in rows {
        let cells: Vec<&str> = row
            .as_array()
            .expect("cells")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(
            Some(cells.len()),
            table["headings"].as_array().map(Vec::len)
        );
        assert!(
            cells.iter().all(|cell| !cell.is_empty() && *cell != "–"),
            "{row}"
        );
    }
}

#[cfg(target_os = "linux")]
mod commands {
    use super::*;
    use std::{fs, process::Stdio, thread, time::Duration};

    fn ran(line: &str) -> Value {
        let finished = advise(&["--items", "4", "--json", "--run", line]).well();
        let document: Value =
            serde_json::from_str(&finished.stdout).expect("JSON and nothing else");
        assert!(
            finished.stderr.contains("noise"),
            "its output goes elsewhere: {}",
            finished.stderr
        );
        document
    }

    #[test]
    fn a_command_that_sleeps_waits_and_one_that_counts_works() {
        let sleeps = ran("sh -c 'echo noise; sleep 0.6'");
        assert_eq!(sleeps["run"]["reading"], "waits", "{sleeps}");
        assert!(sleeps["job"]["wait_s"].as_f64() > Some(0.1), "{sleeps}");
        assert_eq!(sleeps["run"]["seen"]["exit"]["code"], 0);
        let counts = "sh -c 'echo noise; i=0; while [ $i -lt 1500000 ]; do i=$((i+1)); done'";
        let counts = ran(counts);
        assert_eq!(counts["run"]["reading"], "works", "{counts}");
        assert!(
            counts["job"]["cpu_s"].as_f64() > sleeps["job"]["cpu_s"].as_f64(),
            "{counts}"
        );
        assert!(
            counts["run"]["seen"]["at_once"].as_f64() > Some(0.5),
            "{counts}"
        );
        assert!(
            counts["run"]["seen"]["peak_bytes"].as_u64() > Some(0),
            "{counts}"
        );
    }

    #[test]
    fn what_a_command_leaves_behind_is_killed_and_counted() {
        let left = ran("sh -c 'echo noise; sleep 600 & sleep 0.1'");
        assert_eq!(left["run"]["seen"]["left_over"], 1, "{left}");
    }

    #[test]
    fn a_command_that_fails_is_late_or_does_not_start_is_said_so() {
        let run = |line, more: &[&str]| advise(&[&["--items", "1", "--run", line], more].concat());
        let _ = run("sh -c 'exit 3'", &[]).refused(1, &["exit code 3"]);
        let _ =
            run("sleep 600", &["--run-limit", "50ms"]).refused(1, &["was killed", "--run-limit"]);
        let _ = run("/no/such/program", &[]).refused(1, &["/no/such/program"]);
        let _ = run("for i in 1; do true; done", &[]).refused(1, &["there is no shell"]);
        let _ = run("sh 'x", &[]).refused(1, &["quotes must match"]);
    }

    /// SIGTERM stands for Ctrl-C: they are handled alike.
    #[test]
    fn an_interrupt_ends_the_command_too() {
        let folder = std::env::temp_dir().join(format!("lab-advise-{}", std::process::id()));
        let place = folder.display();
        let line = format!("sh -c 'echo $$ > {place}.new; mv {place}.new {place}; exec sleep 600'");
        let mut advising = Command::new(env!("CARGO_BIN_EXE_lab-advise"));
        advising
            .args(["--items", "1", "--run", &line])
            .stderr(Stdio::piped());
        let child = advising.spawn().expect("it starts");
        let command = loop {
            match fs::read_to_string(&folder) {
                Ok(id) => break id.trim().to_owned(),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        };
        let _ = fs::remove_file(&folder);
        let kill = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill starts").success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "error: interrupted\n"
        );
        let sleeps = || {
            fs::read_to_string(format!("/proc/{command}/cmdline"))
                .is_ok_and(|line| line.contains("600"))
        };
        for _ in 0..1000 {
            if !sleeps() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the command still runs as {command}");
    }
}
