//! What is for the reader's own hands: drills, and what was done so far.

use crate::{print_error, run_alone};
use anyhow::Context;
use common::progress::Progress;
use lab_00_tour::path::{self, PATH, Stop};
use report::{Screen, TableReport, wrap};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

const DRILLS: Stop = Stop {
    package: "lab-drills",
    minutes: 0,
    question: "",
    quick: &[],
};

/// What says which way is for a job of one's own.
pub(crate) const ADVISE: Stop = Stop {
    package: "lab-advise",
    ..DRILLS
};

/// Runs what `words` name, if it is no step.
pub(crate) fn run(words: &[String], no_build: bool) -> Option<ExitCode> {
    let screen = Screen::default();
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    match plain[..] {
        // Their check builds the reader's file: without cargo there is none.
        ["drill" | "diagnose", ..] => Some(run_alone(&DRILLS, words, false)),
        ["advise", ..] => Some(run_alone(&ADVISE, &words[1..], no_build)),
        ["play", ref rest @ ..] => Some(play(rest, no_build)),
        ["next"] => {
            screen.print(&next(&Progress::load()));
            Some(ExitCode::SUCCESS)
        }
        ["progress"] => Some(progress(&screen, false)),
        ["progress", "--json"] => Some(progress(&screen, true)),
        ["progress", "--forget"] => Some(forget(&screen)),
        ["next" | "progress", other, ..] => Some(print_error(
            2,
            &format!(
                "`{}` takes no `{other}`; `progress` takes --json or --forget",
                plain[0]
            ),
        )),
        _ => None,
    }
}

/// What to use when, on this machine.
pub(crate) fn table(binaries: &BTreeMap<String, PathBuf>) -> anyhow::Result<TableReport> {
    let binary = binaries.get(ADVISE.package);
    let mut advise = Command::new(binary.context("lab-advise is not built")?);
    let output = advise
        .args(["--table", "--json"])
        .stdin(Stdio::null())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("no table of lab-advise: {errors}"))
}

/// The steps that have games, and the last game of each.
const GAMES: [(&str, usize); 3] = [
    ("lab-06-race-condition", 4),
    ("lab-12-race-conditions", 8),
    ("lab-13-locks-and-rlock", 12),
];

/// Plays the game of a number, or lists the games of all steps.
fn play(words: &[&str], no_build: bool) -> ExitCode {
    let number = words.first().and_then(|word| word.parse::<usize>().ok());
    let own = GAMES
        .iter()
        .find(|(_, last)| number.is_some_and(|number| number <= *last));
    let lists = number.is_none() && words.iter().all(|word| word.starts_with("--"));
    if own.is_none() && !lists {
        return print_error(
            2,
            &format!("no game `{}`; `cargo run -- play` lists them", words[0]),
        );
    }
    let flags: Vec<String> = ["--play"]
        .iter()
        .chain(words)
        .map(|word| (*word).to_owned())
        .collect();
    let is_asked = |(package, _): &&(&str, usize)| own.is_none_or(|(own, _)| own == package);
    let codes = GAMES.iter().filter(is_asked).map(|(package, _)| {
        let stop = path::find(package).expect("a step of the path");
        run_alone(stop, &flags, no_build)
    });
    let failed = codes.into_iter().find(|code| *code != ExitCode::SUCCESS);
    if own.is_none() && failed.is_none() && !words.contains(&"--json") {
        Screen::default().print("\nplay one: cargo run -- play 1");
    }
    failed.unwrap_or(ExitCode::SUCCESS)
}

/// The first step of the path that has not run.
fn next(progress: &Progress) -> String {
    let mut left = PATH
        .iter()
        .filter(|stop| !progress.steps.contains_key(stop.package));
    match left.next() {
        Some(stop) => format!(
            "{}: {}\n  cargo run -p {}",
            stop.package, stop.question, stop.package
        ),
        None => "you have run all steps; the drills are next: cargo run -- drill".into(),
    }
}

fn progress(screen: &Screen, json: bool) -> ExitCode {
    let progress = Progress::load();
    if json {
        screen.print(&serde_json::json!(progress).to_string());
        return ExitCode::SUCCESS;
    }
    let ran = PATH.iter().map(|stop| stop.package.to_owned());
    let ran: Vec<_> = ran
        .filter(|step| progress.steps.contains_key(step))
        .collect();
    let mut lines = vec![format!("steps run     {} of {}", ran.len(), PATH.len())];
    lines.push(wrap(&ran.join(", "), screen.width(), 14));
    lines.push(format!("drills done   {}", progress.drills.len()));
    let done: Vec<_> = progress.drills.iter().cloned().collect();
    lines.push(wrap(&done.join(", "), screen.width(), 14));
    lines.retain(|line| !line.trim().is_empty());
    let guesses: Vec<_> = progress.predictions.values().flatten().collect();
    let right = guesses.iter().filter(|(_, right)| *right).count();
    lines.push(match guesses.len() {
        0 => "predictions   none yet: with --predict a step asks before it runs".into(),
        all => format!("predictions   {right} of {all} right"),
    });
    let wrong = guesses.iter().filter(|(_, right)| !right);
    lines.extend(wrong.map(|(question, _)| format!("  off: {question}")));
    for (bug, taken) in &progress.diagnoses {
        let (all, right) = (
            taken.values().sum::<u64>(),
            taken.get(bug).copied().unwrap_or(0),
        );
        lines.push(format!("diagnosis     {bug}: {right} of {all} right"));
        let wrong = taken.iter().filter(|(other, _)| *other != bug);
        lines.extend(wrong.map(|(other, times)| format!("  taken {times} × for: {other}")));
    }
    lines.push(format!("next          {}", next(&progress)));
    screen.print(&lines.join("\n"));
    ExitCode::SUCCESS
}

/// Removes what was kept.
fn forget(screen: &Screen) -> ExitCode {
    match Progress::forget() {
        Ok(()) => {
            screen.print("nothing is kept now");
            ExitCode::SUCCESS
        }
        Err(error) => print_error(1, &error),
    }
}
