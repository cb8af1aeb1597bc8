//! `cargo run -- diagnose`: a mutant runs without its name, and the reader says what is wrong with it.

use crate::{keep, reader, refuse};
use anyhow::Context;
use common::{
    cli::{self, within},
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

/// What is shown at once has so many rows where its terminal does.
const ROWS: usize = 24;

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
    if let Err(code) = crate::end_on_interrupt(&screen) {
        return code;
    }
    match play(args, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.release_keys();
            cli::print_error(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn list(args: &DiagnoseArgs, screen: &Screen) {
    let kept = crate::progress().diagnoses;
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
        let place = format!("{} of {rounds}", at + 1);
        let Some(one) = ask(args, screen, mutant, (at, &place), &mut dice)? else {
            break;
        };
        asked.push(one);
        let next = "Enter for the next one, q quits ";
        let goes_on = |key| ['\n', 'q'].contains(&key).then_some(key == '\n');
        if is_asked(args) && at + 1 < rounds && screen.ask(next, goes_on) != Some(true) {
            break;
        }
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

/// Asks for one bug, and says which it was; `None` without an answer.
fn ask(
    args: &DiagnoseArgs,
    screen: &Screen,
    mutant: &Mutant,
    (at, place): (usize, &str),
    dice: &mut Seeded,
) -> anyhow::Result<Option<Value>> {
    let (verdict, width) = (attempt(mutant)?, screen.width());
    let options = options(mutant, &verdict, dice);
    let run = seen(mutant, place, &verdict, width);
    let option = |(letter, option)| wrap(&format!("{letter} {option}"), width, 2);
    let letters = ('A'..).zip(&options).map(option).collect();
    show(args, screen, &run, letters);
    let Some(answer) = answer(args, screen, at)? else {
        return Ok(None);
    };
    let (taken, bug) = (options[answer].to_owned(), mutant.bug);
    let (right, evidence) = (taken == bug, verdict.fault.unwrap_or_default());
    let mark = if right { "✓ Right" } else { "✗ No" };
    let words = wrap(&format!("{mark}: {bug}. In this run {evidence}"), width, 0);
    // On a terminal the picture is shown again, with the answer below it.
    let run = if is_asked(args) { &run[..] } else { &[] };
    let above = run
        .iter()
        .chain([&words])
        .map(|it| it.lines().count().max(1));
    // Besides: where the code is, and how to repair it.
    let room = screen.rows(ROWS).saturating_sub(above.sum::<usize>() + 3) / 2;
    let code = code(mutant, width, room.clamp(1, 4));
    show(args, screen, run, [vec![words], code].concat());
    let document = json!({
        "drill": mutant.drill.number, "options": options, "answer": taken, "bug": bug,
        "right": right, "evidence": evidence,
    });
    keep(|progress| {
        let bug = progress.diagnoses.entry(bug.to_owned()).or_default();
        *bug.entry(taken).or_default() += 1;
    });
    Ok(Some(document))
}

/// Whether a reader at a terminal answers.
fn is_asked(args: &DiagnoseArgs) -> bool {
    args.answers.is_none() && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints what a run shows and what belongs to it; where a reader answers, alone on the screen, and
/// without blank lines if there is no room for them.
fn show(args: &DiagnoseArgs, screen: &Screen, run: &[String], more: Vec<String>) {
    screen.say(["", "\u{1b}[2J\u{1b}[H"][usize::from(is_asked(args))]);
    let text = [run, &more].concat().join("\n");
    let mut lines: Vec<&str> = text.lines().collect();
    if is_asked(args) && lines.len() >= screen.rows(ROWS) {
        lines.retain(|line| !line.is_empty());
    }
    screen.say(lines.join("\n"));
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

/// Where the bug is, what a solution has in its place, each in so many lines, and how to repair it.
fn code(mutant: &Mutant, width: usize, most: usize) -> Vec<String> {
    let Mutant { drill, name, .. } = mutant;
    let (number, wrong, right) = (drill.number, drill.text(name), drill.text("solution"));
    let module = format!("mod {name} {{");
    let before = drill.source.lines().take_while(|line| *line != module);
    let first = before.count() + 2;
    let mut lines = vec![format!(
        "lab/drills/src/checks/d{number:02}.rs, - the bug, + a solution:"
    )];
    for (mark, lines_of, other) in [('-', &wrong, &right), ('+', &right, &wrong)] {
        let found = unlike(lines_of, other);
        for (place, (at, line)) in found.iter().take(most).enumerate() {
            let number = if mark == '-' {
                (first + at).to_string()
            } else {
                String::new()
            };
            let is_cut = place + 1 == most && found.len() > most;
            let more = if is_cut { " …" } else { "" };
            let line = format!("{number:>5} {mark} {line}{more}");
            lines.push(match line.chars().count() > width {
                true => line.chars().take(width - 1).chain(['…']).collect(),
                false => line,
            });
        }
    }
    lines.push(format!("Repair it: cargo run -- drill {number}"));
    lines
}

/// The lines of code of a text that another does not have.
fn unlike<'a>(text: &'a str, other: &str) -> Vec<(usize, &'a str)> {
    let other: BTreeSet<&str> = other.lines().map(str::trim).collect();
    let lines = text.lines().enumerate();
    let own = lines.filter(|(_, line)| {
        let is_code = !line.trim_start().starts_with("//") && !line.starts_with("use ");
        is_code && line.len() > 1 && !other.contains(line.trim())
    });
    own.collect()
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
    let ran =
        reader::run(&mut command, reader::LIMIT).context("cannot run a program of a drill")?;
    let (_, printed, _) = ran.context("a program of a drill does not end")?;
    Ok(serde_json::from_str(&printed)?)
}

/// What the program of a drill is to do.
fn aim(drill: &Drill) -> String {
    let text = drill.text("shipped");
    let line = text.lines().find_map(|line| line.strip_prefix("/// "));
    line.unwrap_or(drill.name).to_owned()
}
