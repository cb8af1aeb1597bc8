//! What is for the reader's own hands: drills, and what was done so far.

use crate::{print_error, run_alone};
use anyhow::Context;
use common::progress::Progress;
use lab_00_tour::path::{self, PATH, Stop};
use lessons::LESSONS;
use report::{Screen, TableReport, wrap};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

// The drills' own table: their crate would add its build to the tour's.
#[path = "../../drills/src/lessons.rs"]
mod lessons;

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
        ["next" | "progress", "--help" | "-h"] => {
            screen.print(HELP);
            Some(ExitCode::SUCCESS)
        }
        ["next"] => Some(show(&screen, |progress| {
            let next = next(progress);
            format!("{}\n  {}", next[0], next[1..].join("\n  "))
        })),
        ["progress"] => Some(show(&screen, |kept| progress(kept, screen.width()))),
        ["progress", "--json"] => Some(show(&screen, |kept| serde_json::json!(kept).to_string())),
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

const HELP: &str = "\
cargo run -- next                the step of the path that is next, and a drill that fits the last one
cargo run -- progress            steps run, drills done, predictions, diagnoses
cargo run -- progress --json     the same as JSON
cargo run -- progress --forget   forget all of it
Kept in one file in your data folder; LAB_PROGRESS=FILE keeps it in another.";

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
        .find(|(_, last)| number.is_some_and(|number| (1..=*last).contains(&number)));
    let is_help = words.iter().any(|word| ["--help", "-h"].contains(word));
    // The help is the same in each step.
    let own = own.or(GAMES.first().filter(|_| number.is_none() && is_help));
    let lists = own.is_none()
        && words
            .iter()
            .all(|word| ["--json", "--ascii"].contains(word));
    if own.is_none() && !lists {
        let what = match words[0].starts_with("--") {
            true => format!("which game? `cargo run -- play 1 {}`", words.join(" ")),
            false => format!("no game `{}`, but 1 to 12", words[0]),
        };
        return print_error(2, &format!("{what}; `cargo run -- play` lists them"));
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

/// The numbers of the drills that are done.
fn done(progress: &Progress) -> Vec<usize> {
    let number = |file: &String| file.get(1..3)?.parse().ok();
    progress.drills.iter().filter_map(number).collect()
}

/// The first step of the path that has not run, and the drill that fits the last one that has.
fn next(progress: &Progress) -> Vec<String> {
    let done = done(progress);
    let has_run = |stop: &&Stop| progress.steps.contains_key(stop.package);
    let mut lines = match PATH.iter().find(|stop| !has_run(stop)) {
        Some(stop) => vec![
            format!("{}: {}", stop.package, stop.question),
            format!("cargo run -p {}", stop.package),
        ],
        None => vec!["you have run all steps; the drills are next".into()],
    };
    let open = |stop: &Stop| {
        let mut drills = (1..).zip(LESSONS);
        drills.find(|(number, lesson)| *lesson == stop.package && !done.contains(number))
    };
    let fits = PATH.iter().rev().filter(has_run).find_map(open);
    let drill =
        fits.map(|(number, lesson)| format!("cargo run -- drill {number}  (fits {lesson})"));
    lines.extend(drill);
    lines
}

/// Prints what is said of the progress that was kept, or why that cannot be read.
fn show(screen: &Screen, said: impl FnOnce(&Progress) -> String) -> ExitCode {
    match Progress::load() {
        Ok(progress) => {
            screen.print(&said(&progress));
            ExitCode::SUCCESS
        }
        Err(error) => print_error(1, &error),
    }
}

fn progress(progress: &Progress, width: usize) -> String {
    let mut lines = Vec::new();
    let mut row = |name: &str, text: &str| {
        let text = wrap(text, width, 14);
        lines.push(format!("{name:<14}{}", text.trim_start()));
    };
    let ran = PATH.iter().map(|stop| stop.package);
    let ran: Vec<_> = ran
        .filter(|step| progress.steps.contains_key(*step))
        .collect();
    row("steps run", &of(ran.len(), PATH.len(), &ran));
    let drills = done(progress);
    let numbers: Vec<String> = drills.iter().map(usize::to_string).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    row("drills done", &of(drills.len(), LESSONS.len(), &numbers));
    let guesses: Vec<_> = progress.predictions.values().flatten().collect();
    let right = guesses.iter().filter(|(_, right)| *right).count();
    match guesses.len() {
        0 => row(
            "predictions",
            "none yet: with --predict a step asks before it runs",
        ),
        all => row("predictions", &format!("{right} of {all} right")),
    }
    for (question, _) in guesses.iter().filter(|(_, right)| !right) {
        row("", &format!("off: {question}"));
    }
    diagnoses(progress, &mut row);
    for (at, line) in next(progress).iter().enumerate() {
        row(if at == 0 { "next" } else { "" }, line);
    }
    lines.join("\n")
}

/// How many diagnoses were right, and what was taken for what.
fn diagnoses(progress: &Progress, mut row: impl FnMut(&str, &str)) {
    let taken = |bug: &String| progress.diagnoses[bug].get(bug).copied().unwrap_or(0);
    let all: u64 = progress.diagnoses.values().flat_map(BTreeMap::values).sum();
    if all > 0 {
        let right: u64 = progress.diagnoses.keys().map(taken).sum();
        row("diagnoses", &format!("{right} of {all} right"));
    }
    for (bug, taken) in &progress.diagnoses {
        for (other, times) in taken.iter().filter(|(other, _)| *other != bug) {
            row("", &format!("{times} × wrong: {bug}; taken for: {other}"));
        }
    }
}

/// How many of all, and which.
fn of(count: usize, all: usize, which: &[&str]) -> String {
    match count {
        0 => format!("0 of {all}"),
        _ => format!("{count} of {all}: {}", which.join(", ")),
    }
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
