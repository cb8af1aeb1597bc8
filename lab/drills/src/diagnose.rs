//! `cargo run -- diagnose`: a mutant runs without its name, and the reader says what is wrong with it.

use crate::{keep, refuse};
use anyhow::Context;
use common::{
    cli::{self, within},
    progress::Progress,
    report::{Screen, ScreenOptions, wrap},
    workload::Seeded,
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
    #[arg(long, value_name = "N", default_value_t = 42, value_parser = within(0..=u64::MAX), allow_negative_numbers = true)]
    seed: u64,

    /// Ask this many, 1 to 50
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = within::<u8>(1..=50), allow_negative_numbers = true)]
    rounds: u8,

    /// Answer with these letters, without a terminal
    #[arg(long, value_name = "LETTERS", value_parser = parse_answers)]
    answers: Option<String>,

    /// Print one JSON document, and nothing else
    #[arg(long)]
    json: bool,

    /// Draw and write in plain ASCII
    #[arg(long)]
    ascii: bool,
}

fn parse_answers(text: &str) -> Result<String, String> {
    let are_letters = !text.is_empty() && text.chars().all(|key| place(key).is_some());
    let answers = are_letters.then(|| text.to_owned());
    answers.ok_or_else(|| "not letters from A to E".into())
}

/// Which of the options a letter stands for.
fn place(letter: char) -> Option<usize> {
    "abcde".find(letter.to_ascii_lowercase())
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

fn shuffle<T>(items: &mut [T], dice: &mut Seeded) {
    for last in (1..items.len()).rev() {
        items.swap(last, dice.range(0..last as u64 + 1) as usize);
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
        return refuse("`--json` asks no questions; give the answers with `--answers`");
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
    screen.say("drill  bug");
    let mut bugs = Vec::new();
    for Mutant { drill, bug, .. } in mutants() {
        let taken = kept.get(bug).cloned().unwrap_or_default();
        screen.say(format!("{:>5}  {bug}", drill.number));
        for (other, times) in taken.iter().filter(|(other, _)| *other != bug) {
            screen.say(format!("         taken {times} × for: {other}"));
        }
        bugs.push(json!({ "drill": drill.number, "bug": bug, "taken_for": taken }));
    }
    if args.json {
        screen.print(&json!({ "bugs": bugs }).to_string());
    }
}

fn play(args: &DiagnoseArgs, screen: &Screen) -> anyhow::Result<()> {
    let (mut dice, mut chosen) = (Seeded::new(args.seed), mutants());
    shuffle(&mut chosen, &mut dice);
    let mut asked: Vec<Value> = Vec::new();
    let given = args.answers.as_ref().map_or(usize::MAX, String::len);
    let rounds = given.min(args.rounds.into());
    for (at, mutant) in chosen.iter().take(rounds).enumerate() {
        let verdict = attempt(mutant)?;
        let options = options(mutant, &verdict, &mut dice);
        let place = format!("{} of {rounds}", at + 1);
        let lines = question(mutant, &place, &verdict, &options, screen.width());
        screen.say(lines.join("\n"));
        let Some(answer) = answer(args, screen, at)? else {
            break;
        };
        let (taken, bug) = (options[answer].to_owned(), mutant.bug);
        let (right, evidence) = (taken == bug, verdict.fault.unwrap_or_default());
        let mark = if right { "✓ Right" } else { "✗ No" };
        let words = format!("{mark}: {bug}. In this run {evidence}");
        screen.say(wrap(&words, screen.width(), 0));
        asked.push(json!({
            "drill": mutant.drill.number, "options": options, "answer": taken, "bug": bug,
            "right": right, "evidence": evidence,
        }));
        keep(|progress| {
            let bug = progress.diagnoses.entry(bug.to_owned()).or_default();
            *bug.entry(taken).or_default() += 1;
        });
    }
    let right = asked.iter().filter(|one| one["right"] == true).count();
    let (all, next) = (asked.len(), args.seed.wrapping_add(1));
    screen.say(format!(
        "\n{right} of {all} right; --seed {next} asks others, --answers ABC needs no terminal"
    ));
    if args.json {
        screen.print(&json!({ "seed": args.seed, "right": right, "asked": asked }).to_string());
    }
    screen.release_keys();
    Ok(())
}

/// What the reader sees of a run, and the bugs to choose from.
fn question(
    mutant: &Mutant,
    place: &str,
    verdict: &Verdict,
    options: &[&str],
    width: usize,
) -> Vec<String> {
    let title = format!("{place} · {}", aim(mutant.drill));
    let mut lines = vec![String::new(), wrap(&title, width, 0), String::new()];
    lines.extend(verdict.picture(width));
    lines.extend([
        String::new(),
        wrap(&verdict.figures, width, 2),
        String::new(),
    ]);
    let option = |(letter, option)| wrap(&format!("{letter} {option}"), width, 2);
    lines.extend(('A'..).zip(options).map(option));
    lines
}

/// The bugs to choose from, those of the same drill first; none whose run looks the same.
fn options(mutant: &Mutant, shown: &Verdict, dice: &mut Seeded) -> Vec<&'static str> {
    let mut others = mutants();
    shuffle(&mut others, dice);
    others.retain(|other| other.bug != mutant.bug);
    others.sort_by_key(|other| other.drill.number != mutant.drill.number);
    // Which thread comes first is another each time.
    let evidence = |seen: &Verdict| {
        let events = seen.events.iter().map(|(_, event)| event.clone());
        (events.collect::<Vec<_>>(), seen.figures.clone())
    };
    let looks_other = |other: &&Mutant| {
        other.drill.number != mutant.drill.number
            || attempt(other).is_ok_and(|seen| evidence(&seen) != evidence(shown))
    };
    let others = others.iter().filter(looks_other).take(OPTIONS - 1);
    let mut options: Vec<_> = others.chain([mutant]).map(|it| it.bug).collect();
    shuffle(&mut options, dice);
    options
}

/// Which of the options the reader takes; `None` ends the round.
fn answer(args: &DiagnoseArgs, screen: &Screen, at: usize) -> anyhow::Result<Option<usize>> {
    if let Some(letters) = &args.answers {
        return Ok(letters.chars().nth(at).and_then(place));
    }
    let mut question = "What is wrong with it? (A to E, q quits) ".to_owned();
    loop {
        let key = screen.ask(&question, |key| (!key.is_whitespace()).then_some(key));
        match key {
            // Without keys to read, too.
            None | Some('q') => return Ok(None),
            Some(key) if place(key).is_some() => return Ok(place(key)),
            Some(key) => question = format!("`{key}` is no answer: a, b, c, d or e; q quits "),
        }
    }
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
