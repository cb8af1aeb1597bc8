//! `cargo run -- diagnose`: a mutant runs without its name, and the reader says what is wrong with it.

use crate::refuse;
use anyhow::Context;
use common::{
    cli,
    progress::Progress,
    report::{Screen, ScreenOptions, wrap},
};
use lab_drills::{DRILLS, Drill, verdict::Verdict};
use serde_json::{Value, json};
use std::{
    env,
    process::{Command, ExitCode},
};

/// How many bugs there are to choose from.
const OPTIONS: usize = 5;

/// Find the bug from what a run shows: ten programs, five bugs to choose from
#[derive(clap::Args)]
pub(crate) struct DiagnoseArgs {
    /// List all bugs, and how often you took each for another
    #[arg(long)]
    list: bool,

    /// Which programs and in which order; another seed, another round
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// Ask this many, 1 to 50
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,

    /// Answer with these letters, without a terminal
    #[arg(long, value_name = "LETTERS")]
    answers: Option<String>,

    /// Print one JSON document, and nothing else
    #[arg(long)]
    json: bool,

    /// Draw and write in plain ASCII
    #[arg(long)]
    ascii: bool,
}

/// A program of a drill that is wrong.
#[derive(Clone, Copy)]
struct Mutant {
    drill: &'static Drill,
    name: &'static str,
    bug: &'static str,
}

fn mutants() -> Vec<Mutant> {
    let of_drill = |drill: &&'static Drill| {
        let (drill, all) = (*drill, drill.candidates.iter());
        let wrong = all.filter(|(_, bug, _)| !bug.is_empty());
        let mutant =
            move |(name, bug, _): &(&'static str, &'static str, _)| Mutant { drill, name, bug };
        wrong.map(mutant).collect::<Vec<_>>()
    };
    DRILLS.iter().flat_map(of_drill).collect()
}

/// Random numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // Splitmix: each number from the one before.
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            items.swap(last, ((mixed >> 32) % (last as u64 + 1)) as usize);
        }
    }
}

pub(crate) fn run(args: &DiagnoseArgs) -> ExitCode {
    let screen = Screen::new(ScreenOptions {
        silent: args.json,
        ascii: args.ascii,
        reads_keys: args.answers.is_none() && !args.list,
        ..ScreenOptions::default()
    });
    if args.list {
        list(args, &screen);
        return ExitCode::SUCCESS;
    }
    if args.json && args.answers.is_none() {
        return refuse("`--json` asks nobody; give the answers with `--answers`");
    }
    let keyboard = screen.clone();
    // Without a handler Ctrl-C ends the round, too, but leaves the terminal without an echo.
    let _ = ctrlc::set_handler(move || end(&keyboard));
    match play(args, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.release_keys();
            cli::print_error(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::exit, reason = "an interrupted round ends here")]
fn end(screen: &Screen) {
    screen.release_keys();
    std::process::exit(1)
}

fn list(args: &DiagnoseArgs, screen: &Screen) {
    let kept = Progress::load().diagnoses;
    let mut bugs = Vec::new();
    for Mutant { drill, bug, .. } in mutants() {
        let taken = kept.get(bug).cloned().unwrap_or_default();
        screen.say(format!("{:>2}  {bug}", drill.number));
        for (other, times) in taken.iter().filter(|(other, _)| *other != bug) {
            screen.say(format!("      taken {times} × for: {other}"));
        }
        bugs.push(json!({ "drill": drill.number, "bug": bug, "taken_for": taken }));
    }
    if args.json {
        screen.print(&json!({ "bugs": bugs }).to_string());
    }
}

fn play(args: &DiagnoseArgs, screen: &Screen) -> anyhow::Result<()> {
    let (mut dice, mut chosen) = (Dice(args.seed), mutants());
    dice.shuffle(&mut chosen);
    let mut asked: Vec<Value> = Vec::new();
    for (at, mutant) in chosen.iter().take(args.rounds.into()).enumerate() {
        let verdict = attempt(mutant)?;
        // The bugs of the same drill are the hardest to tell apart.
        let mut others = mutants();
        dice.shuffle(&mut others);
        others.retain(|other| other.bug != mutant.bug);
        others.sort_by_key(|other| other.drill.number != mutant.drill.number);
        let mut options: Vec<&str> = others
            .iter()
            .map(|other| other.bug)
            .take(OPTIONS - 1)
            .collect();
        options.push(mutant.bug);
        dice.shuffle(&mut options);
        screen.say(format!(
            "\n{} of {} · {}\n",
            at + 1,
            args.rounds,
            aim(mutant.drill)
        ));
        screen.say(verdict.picture.join("\n"));
        screen.say(format!("\n  {}\n", verdict.figures));
        for (letter, option) in ('A'..).zip(&options) {
            screen.say(format!("  {letter} {option}"));
        }
        let place = |key: char| "abcde".find(key.to_ascii_lowercase());
        let answer = match &args.answers {
            Some(letters) => letters.chars().nth(at).and_then(place),
            None => screen
                .ask("What is wrong with it? (q quits) ", |key| match key {
                    'q' => Some(None),
                    key => place(key).map(Some),
                })
                .flatten(),
        };
        let Some(answer) = answer else { break };
        let right = options[answer] == mutant.bug;
        let evidence = verdict.fault.unwrap_or_default();
        let mark = if right { "✓ Right" } else { "✗ No" };
        screen.say(wrap(
            &format!("{mark}: {}. In this run {evidence}", mutant.bug),
            screen.width(),
            0,
        ));
        let taken = options[answer].to_owned();
        asked.push(json!({
            "drill": mutant.drill.number, "options": options, "answer": taken, "bug": mutant.bug,
            "right": right, "evidence": evidence,
        }));
        Progress::update(|progress| {
            let bug = progress.diagnoses.entry(mutant.bug.to_owned()).or_default();
            *bug.entry(taken).or_default() += 1;
        });
    }
    let right = asked.iter().filter(|one| one["right"] == true).count();
    screen.say(format!(
        "\n{right} of {} right; --seed {} asks others",
        asked.len(),
        args.seed.wrapping_add(1)
    ));
    if args.json {
        screen.print(&json!({ "seed": args.seed, "right": right, "asked": asked }).to_string());
    }
    screen.release_keys();
    Ok(())
}

/// Runs a mutant in a process of its own: it may hang.
fn attempt(mutant: &Mutant) -> anyhow::Result<Verdict> {
    let mut command = Command::new(env::current_exe()?);
    command.args([
        "attempt",
        &mutant.drill.number.to_string(),
        mutant.name,
        "--json",
    ]);
    let output = command
        .output()
        .context("cannot run a program of a drill")?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What the program of a drill is to do.
fn aim(drill: &Drill) -> String {
    let text = drill.text("shipped");
    let line = text.lines().find_map(|line| line.strip_prefix("/// "));
    line.unwrap_or(drill.name).to_owned()
}
