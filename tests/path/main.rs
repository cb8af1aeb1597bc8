//! The path as a whole: what every step does alike.

#[path = "../tidy/budgets.rs"]
mod budgets;
#[path = "../each/mod.rs"]
mod each;
mod flags;
mod network;
#[path = "../support/mod.rs"]
mod support;

use budgets::{Numbers, hold};
use common::{Document, Variant, path, report};
use each::every_step;
use lab_00_tour::path::Stop;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    num::NonZeroU16,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
};
use support::binaries;
use testing::{assert_nothing_left_behind, run, run_command, variant};

/// The parts of a bar.
const BAR: [char; 8] = ['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏'];

fn flags(stop: &Stop, more: &[&'static str]) -> Vec<&'static str> {
    stop.quick
        .iter()
        .copied()
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn every_step_prints_one_document_whose_claims_its_figures_carry_and_writes_its_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    every_step(|stop, binary| {
        let trace = folder.path().join(stop.package);
        let mut command = Command::new(binary);
        command
            .args(stop.quick)
            .arg("--json")
            .arg("--trace")
            .arg(&trace);
        let document = run_command(command).well().document();
        assert_eq!(document["schema"], 2, "{}", stop.package);
        assert_eq!(document["step"], stop.package);
        assert!(document["error"].is_null(), "{document}");
        let claims = document["claims"].as_array().expect("claims");
        assert!(!claims.is_empty(), "{}", stop.package);
        for variant in document["variants"].as_array().expect("variants") {
            check_variant(stop, variant);
        }
        check_trace(stop, &trace);
        assert_nothing_left_behind(binary);
    });
}

fn check_trace(stop: &Stop, place: &Path) {
    let trace = std::fs::read_to_string(place).expect("it was written");
    let trace: Value = serde_json::from_str(&trace).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let spans = events.iter().filter(|event| event["ph"] == "X").count();
    assert!(spans > 0, "{}", stop.package);
}

fn check_variant(stop: &Stop, variant: &Value) {
    let whole = |name: &str| {
        variant["ledger"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("{}: {name}", stop.package))
    };
    let ended = whole("done") + whole("failed") + whole("cancelled");
    assert_eq!(
        whole("submitted"),
        ended,
        "{}: the ledger balances: {}",
        stop.package,
        variant["name"]
    );
    assert!(whole("processes") >= 1);
    assert!(variant["wall_s"].as_f64() > Some(0.0));
    let bound = (
        variant["bound_s"].is_null(),
        variant["bound_reason"].is_null(),
    );
    assert_eq!(
        bound.0, bound.1,
        "{}: a bound has its reason: {}",
        stop.package, variant["name"]
    );
    for lane in variant["lanes"].as_array().expect("lanes") {
        for span in lane["spans"].as_array().expect("spans") {
            assert!(
                span["start_s"].as_f64() <= span["end_s"].as_f64(),
                "{}: {span}",
                stop.package
            );
        }
    }
}

/// The steps whose run ends on a screen of 24 lines; the others have 40.
fn is_short(package: &str) -> bool {
    let long = [
        "lab-10", "lab-12", "lab-13", "lab-14", "lab-15", "lab-16", "lab-17", "lab-18", "lab-19",
    ];
    !long.iter().any(|long| package.starts_with(long))
}

#[test]
fn every_step_reports_for_people_in_few_words_without_colour_in_a_pipe_and_within_its_width() {
    let printed = Mutex::new((Numbers::new(), Numbers::new()));
    every_step(|stop, binary| {
        let finished = run(binary, &flags(stop, &["--width", "80"])).well();
        let text = &finished.stdout;
        assert!(text.starts_with(stop.package), "{text}");
        assert!(
            !text.contains('\u{1b}'),
            "{}: no escape codes in a pipe",
            stop.package
        );
        let is_apart = !text.contains("--verbose0");
        assert!(is_apart, "{}: the legend meets the axis", stop.package);
        for line in text.lines() {
            // A path of this machine is shown whole, however long it is.
            let has_path = line.split_whitespace().any(|word| word.starts_with('/'));
            let is_within = has_path || line.chars().count() <= 80;
            assert!(is_within, "{}: {line}", stop.package);
        }
        assert!(
            finished.stderr.is_empty(),
            "{}: {}",
            stop.package,
            finished.stderr
        );
        let mut printed = printed.lock().expect("no step failed");
        let lines = lines_of_what_showed(text);
        let words = lines.iter().flat_map(|line| line.split_whitespace());
        printed.1.insert(stop.package.into(), words.count());
        printed.0.insert(stop.package.into(), lines.len());
    });
    let (lines, words) = printed.into_inner().expect("no step failed");
    hold("lines printed", &lines, 10, |package| {
        if is_short(package) { 45 } else { 75 }
    });
    hold("words printed", &words, 10, |package| {
        if is_short(package) { 320 } else { 520 }
    });
}

#[test]
fn every_step_ends_on_a_screen_with_the_name_of_each_variant_and_the_bar_of_each_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    every_step(|stop, binary| {
        let place = |kind: &str| folder.path().join(format!("{}.{kind}", stop.package));
        let mut command = Command::new(binary);
        command.args(stop.quick).args(["--width", "80"]);
        for kind in ["cast", "report"] {
            command.arg(format!("--{kind}")).arg(place(kind));
        }
        let _ = run_command(command).well();
        let page = std::fs::read_to_string(place("report")).expect("it was written");
        let runs = page.split("id=\"runs\" type=\"application/json\">").nth(1);
        let runs = runs.and_then(|rest| rest.split("</script>").next());
        let runs = serde_json::from_str::<[Document; 1]>(runs.expect("the page has its figures"));
        let [document] = runs.expect("a run");
        let height = path::rows(stop.package) as u16;
        // The prompt has the last row.
        let rows = shown(&recorded(&place("cast")), height + 1, 80);
        assert_bars(&document, &rows);
        // As in a terminal of 20 rows, where three quarters of a long screen are the least, and in a high one.
        for (width, least) in [(60, 19.max(height / 4 * 3)), (120, height)] {
            let screen = report::summary(&document, width.into(), least.into());
            let rows = shown(&screen.replace('\n', "\r\n"), height, width);
            assert_bars(&document, &rows);
        }
    });
}

/// Everything that a recording prints and draws.
fn recorded(cast: &Path) -> String {
    let cast = std::fs::read_to_string(cast).expect("it was written");
    let events = cast.lines().skip(1);
    let events = events.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let outputs = events.filter(|event| event[1] == "o");
    outputs
        .map(|event| event[2].as_str().expect("text").to_owned())
        .collect()
}

/// The rows of a terminal after a text, no line of which is wider than they are.
fn shown(text: &str, rows: u16, columns: u16) -> Vec<String> {
    let side = |side| NonZeroU16::new(side).expect("not zero");
    let mut terminal = vt100::Parser::new(side(rows), side(columns), 0);
    terminal.process(text.as_bytes());
    let screen = terminal.screen();
    let lines: Vec<String> = screen.rows(0, columns).collect();
    let is_wrapped = (0..rows).any(|at| screen.row_wrapped(at));
    assert!(!is_wrapped, "too wide: {lines:#?}");
    lines
}

/// Asserts that each variant is named, and that each whose time is compared has its time and a bar beside it.
fn assert_bars(document: &Document, rows: &[String]) {
    let start = |name: &str| name.chars().take(8).collect::<String>();
    for one in &document.variants {
        let is_named = rows.iter().any(|row| row.contains(&start(&one.name)));
        assert!(is_named, "{}: {} in {rows:#?}", document.step, one.name);
    }
    for name in compared(&document.variants) {
        let start = format!("  {}", start(name));
        let has_all = |row: &String| {
            let units = [" s ", " ms ", " µs ", " ns "];
            let has_time = units.iter().any(|it| row.contains(it));
            has_time && row.starts_with(&start) && row.contains(BAR)
        };
        let is_there = rows.iter().any(has_all);
        assert!(is_there, "{}: {name} in {rows:#?}", document.step);
    }
}

/// The variants whose times a run compares, with another or with a bound; a race has none.
fn compared(all: &[Variant]) -> Vec<&str> {
    let is_compared = |one: &&Variant| {
        let has_figure = one.speedup.or(one.bound_s).is_some();
        has_figure || one.note.is_some()
    };
    let found: Vec<_> = all.iter().filter(is_compared).collect();
    let is_alone = found.len() < 2.min(all.len());
    let found = found.into_iter().filter(|_| !is_alone);
    found.map(|one| &*one.name).collect()
}

/// What a run prints wherever it runs: how much a busy machine keeps from showing, and why, differs.
fn lines_of_what_showed(text: &str) -> Vec<&str> {
    let mut is_unshown = false;
    let mut lines: Vec<&str> = text.lines().collect();
    lines.retain(|line| {
        is_unshown = line.starts_with(['✗', '–', '!']) || is_unshown && line.starts_with("  ");
        !is_unshown
    });
    lines
}

#[test]
fn every_step_refuses_an_unknown_flag_and_teaches_in_its_help() {
    every_step(|stop, binary| {
        let _ = run(binary, &["--no-such-flag"]).refused(2, &["--no-such-flag", "--help"]);
        let _ = run(binary, &["surplus"]).refused(2, &["surplus"]);
        let help = run(binary, &["--help"]).well().stdout;
        for flag in [
            "--json",
            "--trace",
            "--report",
            "--cast",
            "--seed",
            "--color",
            "--ascii",
            "--width",
            "--pause",
            "--predict",
            "--verbose",
            "--clear",
            "Mirrors",
        ] {
            assert!(help.contains(flag), "{}: {flag} in {help}", stop.package);
        }
        assert!(
            run(binary, &["--version"])
                .well()
                .stdout
                .starts_with(stop.package)
        );
    });
}

#[test]
fn every_step_ends_quietly_when_nobody_reads_on() {
    every_step(|stop, binary| {
        let mut child = Command::new(binary)
            .args(stop.quick)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("it is piped"));
        reader.read_line(&mut line).expect("a first line");
        drop(reader);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}: {output:?}",
            stop.package
        );
        assert!(
            output.stderr.is_empty(),
            "{}: {}",
            stop.package,
            String::from_utf8_lossy(&output.stderr)
        );
        assert_nothing_left_behind(binary);
    });
}

#[test]
fn a_full_disk_costs_the_trace_and_not_the_report() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let finished = run(
        &binaries()["basics-0-sequential"],
        &["--scale", "0.01", "--trace", "/dev/full"],
    );
    finished.tells(&["✓ all four sums"]);
    let _ = finished.refused(1, &["/dev/full", "No space left"]);
    let mut command = Command::new("/bin/sh");
    let script = format!(
        "{} --scale 0.01 > /dev/full",
        binaries()["basics-0-sequential"].display()
    );
    command.args(["-c", &script]);
    let _ = run_command(command).refused(1, &["standard output", "No space left"]);
}

#[test]
fn the_tour_runs_one_step_with_its_flags_and_passes_its_exit_code_on() {
    let tour = |arguments: &[&str]| {
        let all = [&["--no-build"], arguments].concat();
        run(&binaries()["lab-00-tour"], &all)
    };
    let document = tour(&["basics-0", "--json", "--scale", "0.01"])
        .well()
        .document();
    assert_eq!(variant(&document, "sequential")["results"][3]["n"], 400_000);
    assert_eq!(tour(&["basics-0", "--scale", "0"]).code, Some(2));
    tour(&["19", "--help"])
        .well()
        .tells(&["Usage: lab-19-async-vs-threads-fx"]);
}

#[test]
fn a_wrong_claim_would_be_found() {
    let mut document = run(
        &binaries()["basics-0-sequential"],
        &["--scale", "0.01", "--json"],
    )
    .well()
    .document();
    document["variants"][0]["ledger"]["done"] = Value::from(3);
    assert!(!testing::contradictions(&document).is_empty());
}
