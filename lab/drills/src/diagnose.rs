//! `cargo run -- diagnose`: a mutant runs without its name, and the reader says what is wrong with it.

use crate::{keep, refuse};
use anyhow::Context;
use common::{
    cli::{self, within},
    progress::Progress,
    report::{Screen, ScreenOptions, wrap},
    workload::Seeded,
};
use lab_drills::{
    DRILLS, Drill,
    verdict::{Event, Verdict},
};
use serde_json::{Value, json};
use std::{
    cmp::Reverse,
    collections::BTreeSet,
    env,
    io::{self, IsTerminal},
    process::{Command, ExitCode},
};

/// How many bugs there are to choose from.
const OPTIONS: usize = 5;

/// The most lines of a bug, and of what a solution has in their place.
const MOST_LINES: usize = 4;

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
pub(crate) fn end(screen: &Screen) {
    screen.release_keys();
    // The shell's prompt begins a line of its own.
    eprintln!();
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
        let run = seen(mutant, &place, &verdict, screen.width());
        let letters = ('A'..).zip(&options);
        let letters =
            letters.map(|(letter, it)| wrap(&format!("{letter} {it}"), screen.width(), 2));
        show(screen, &run, letters.collect());
        let Some(answer) = answer(args, screen, at)? else {
            break;
        };
        let (taken, bug) = (options[answer].to_owned(), mutant.bug);
        let (right, evidence) = (taken == bug, verdict.fault.unwrap_or_default());
        let mark = if right { "✓ Right" } else { "✗ No" };
        let words = format!("{mark}: {bug}. In this run {evidence}");
        let mut lines = vec![wrap(&words, screen.width(), 0)];
        lines.extend(code(mutant, screen.width()));
        // On a terminal the picture is shown again, with the answer beside it.
        let run = if is_asked(args) { &run[..] } else { &[] };
        show(screen, run, lines);
        if is_asked(args) && at + 1 < rounds {
            let _ = screen.ask("Enter for the next one ", |key| (key == '\n').then_some(()));
        }
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
    let score = match asked.len() {
        0 => "no answer was given".into(),
        all => format!("{right} of {all} right"),
    };
    let next = args.seed.wrapping_add(1);
    screen.say(format!(
        "\n{score}; --seed {next} asks others, --answers ABC needs no terminal"
    ));
    if args.json {
        screen.print(&json!({ "seed": args.seed, "right": right, "asked": asked }).to_string());
    }
    screen.release_keys();
    Ok(())
}

/// Whether a reader at a terminal answers.
fn is_asked(args: &DiagnoseArgs) -> bool {
    args.answers.is_none() && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints what a run shows and what belongs to it, on a terminal alone on its screen.
fn show(screen: &Screen, run: &[String], more: Vec<String>) {
    screen.say(["", "\u{1b}[2J\u{1b}[H"][usize::from(io::stdout().is_terminal())]);
    screen.say([run, &more].concat().join("\n"));
}

/// What the reader sees of a run.
fn seen(mutant: &Mutant, place: &str, verdict: &Verdict, width: usize) -> Vec<String> {
    let title = format!("{place} · {}", aim(mutant.drill));
    let mut lines = vec![wrap(&title, width, 0), String::new()];
    lines.extend(verdict.picture(width));
    let figures = wrap(&verdict.figures, width, 2);
    lines.extend([String::new(), figures, String::new()]);
    lines
}

/// Where the bug is, what a solution has in its place, and how to repair it.
fn code(mutant: &Mutant, width: usize) -> Vec<String> {
    let Mutant { drill, name, .. } = mutant;
    let (number, wrong, right) = (drill.number, drill.text(name), drill.text("solution"));
    let module = format!("mod {name} {{");
    let before = drill.source.lines().take_while(|line| **line != module);
    let first = before.count() + 2;
    let other = |text: &str, than: &str, mark: &str, first: Option<usize>| {
        let than: BTreeSet<&str> = than.lines().map(str::trim).collect();
        let lines = text.lines().enumerate().filter(|(_, line)| {
            let is_code = !line.trim_start().starts_with("//") && !line.starts_with("use ");
            is_code && line.len() > 1 && !than.contains(line.trim())
        });
        let line = |(at, line): (usize, &str)| {
            let number = first.map_or(String::new(), |first| (first + at).to_string());
            let line = format!("{number:>5} {mark} {line}");
            match line.chars().count() > width {
                true => line.chars().take(width - 1).chain(['…']).collect(),
                false => line,
            }
        };
        let mut lines: Vec<String> = lines.map(line).collect();
        if lines.len() > MOST_LINES {
            lines.splice(MOST_LINES - 1.., [format!("      {mark} …")]);
        }
        lines
    };
    let file = format!("lab/drills/src/checks/d{number:02}.rs, - the bug, + a solution:");
    let repair = format!("Repair it: cargo run -- drill {number}");
    let (wrong, right) = (
        other(&wrong, &right, "-", Some(first)),
        other(&right, &wrong, "+", None),
    );
    [vec![file], wrong, right, vec![repair]].concat()
}

/// The bugs to choose from, those of the same drill first; none that fits what the run shows.
fn options(mutant: &Mutant, shown: &Verdict, dice: &mut Seeded) -> Vec<&'static str> {
    let mut others = mutants();
    shuffle(&mut others, dice);
    let is_own = |other: &Mutant| other.drill.number == mutant.drill.number;
    let names = |text: String| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.map(str::to_owned).collect()
    };
    let own = names(mutant.drill.text("shipped"));
    let shared = |other: &Mutant| {
        own.intersection(&names(other.drill.text("shipped")))
            .count()
    };
    // Drills that use the same primitives come next.
    others.sort_by_cached_key(|other| (!is_own(other), Reverse(shared(other))));
    let looks_other = |other: &Mutant| {
        attempt(other).is_ok_and(|seen| match is_own(other) {
            true => evidence(&seen) != evidence(shown),
            false => outline(&seen) != outline(shown),
        })
    };
    let mut taken = vec![*mutant];
    for other in others {
        let is_new = |it: &Mutant| {
            it.bug != other.bug && (is_own(&other) || !is_own(it) || it.name != other.name)
        };
        if taken.len() < OPTIONS && taken.iter().all(is_new) && looks_other(&other) {
            taken.push(other);
        }
    }
    let mut options: Vec<_> = taken.iter().map(|it| it.bug).collect();
    shuffle(&mut options, dice);
    options
}

/// What a run shows; which thread comes first is another each time.
fn evidence(seen: &Verdict) -> (Vec<&Event>, &str) {
    let events = seen.events.iter().map(|(_, event)| event);
    (events.collect(), &seen.figures)
}

/// What runs of other programs have in common: whether they end, do anything, do it one by one.
fn outline(seen: &Verdict) -> [bool; 3] {
    ["never returned", " begun", "at most 1 at"].map(|part| seen.figures.contains(part))
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
