//! `cargo run -- drill`: lists the drills, checks the reader's files, gives hints; and `diagnose`.

mod diagnose;
mod reader;

use clap::Parser;
use common::{
    child::kill_guests,
    cli::{self, within},
    on_interrupt,
    progress::Progress,
    report::{Screen, ScreenOptions},
};
use lab_drills::{DRILLS, Drill, d20, verdict::hanging};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, Write as _},
    process::ExitCode,
    thread,
    time::Duration,
};

/// Repair small broken programs
#[derive(Parser)]
#[command(name = "cargo run --", disable_help_subcommand = true)]
enum Line {
    Drill(DrillArgs),
    Diagnose(diagnose::DiagnoseArgs),
    /// Check one of the repository's own repairs
    #[command(hide = true)]
    Attempt {
        number: usize,
        candidate: String,
        #[arg(long)]
        json: bool,
    },
}

/// Repair a small broken program; the check says what it saw
///
/// Without a number: lists the drills and which are done. With one: checks your file and shows the run
/// that it saw.
#[derive(clap::Args)]
struct DrillArgs {
    /// The drill's number; all are listed without
    #[arg(value_parser = within(1..=DRILLS.len()), allow_negative_numbers = true)]
    number: Option<usize>,

    /// List all drills
    #[arg(long, conflicts_with = "number")]
    list: bool,

    /// Show the next of three hints
    #[arg(long, requires = "number", conflicts_with_all = ["solution", "watch"])]
    hint: bool,

    /// Show a solution; before you have one of your own only with --give-up
    #[arg(long, requires = "number", conflicts_with = "watch")]
    solution: bool,

    /// Show the solution all the same
    #[arg(long, requires = "solution")]
    give_up: bool,

    /// Write the file as it was at first; yours is kept beside it, as .rs.old
    #[arg(long, requires = "number", conflicts_with_all = ["hint", "solution", "watch"])]
    reset: bool,

    /// Check again whenever you save the file, until Ctrl-C
    #[arg(long, requires = "number")]
    watch: bool,

    /// Print one JSON document, and nothing else
    #[arg(long)]
    json: bool,

    /// Draw and write in plain ASCII
    #[arg(long)]
    ascii: bool,
}

fn main() -> ExitCode {
    process_pool::child::enter(&[&d20::PAY]);
    match cli::parse_alone() {
        Err(code) => code,
        Ok(Line::Attempt {
            number,
            candidate,
            json,
        }) => {
            let all = DRILLS.iter().filter(|drill| drill.number == number);
            let mut all = all.flat_map(|drill| drill.candidates);
            match all.find(|(name, ..)| *name == candidate) {
                Some((_, _, check)) => check().print(json.then_some("")),
                None => refuse(&format!("drill {number} has no candidate `{candidate}`")),
            }
        }
        Ok(Line::Drill(args)) => drill(&args),
        Ok(Line::Diagnose(args)) => diagnose::run(&args),
    }
}

/// What a repair may use besides the standard library.
const CRATES: &str = "Crates crossbeam, futures_util, tokio";

fn refuse(message: &str) -> ExitCode {
    cli::print_error(message);
    ExitCode::from(2)
}

/// Ends, when asked to, with all that was started, and leaves the terminal as it was.
fn end_on_interrupt(screen: &Screen) -> Result<(), ExitCode> {
    let screen = screen.clone();
    on_interrupt(move |_| end(&screen)).map_err(|error| {
        cli::print_error(format!("cannot watch for Ctrl-C: {error}"));
        ExitCode::FAILURE
    })
}

#[expect(clippy::exit, reason = "an interrupted run ends here")]
fn end(screen: &Screen) {
    screen.release_keys();
    kill_guests();
    // The shell's prompt begins a line of its own.
    let _ = writeln!(io::stderr());
    std::process::exit(1)
}

fn drill(args: &DrillArgs) -> ExitCode {
    let screen = Screen::new(ScreenOptions {
        ascii: args.ascii,
        ..ScreenOptions::default()
    });
    let Some(number) = args.number else {
        list(args, &progress(), &screen);
        return ExitCode::SUCCESS;
    };
    let drill = DRILLS[number - 1];
    let answer = if args.hint {
        Ok(hint(drill, &screen))
    } else if args.solution {
        let is_done = || progress().drills.contains(&drill.file());
        solution(drill, args.give_up || is_done())
    } else if args.reset {
        reset(drill)
    } else {
        return check(drill, args, &screen);
    };
    match answer {
        Ok((document, text)) => print(&screen, args, &document, &[text]),
        Err(code) => return code,
    }
    ExitCode::SUCCESS
}

/// What the reader has done; where that cannot be read, says so in a line.
fn progress() -> Progress {
    let read = Progress::load().map_err(cli::print_error);
    read.unwrap_or_default()
}

/// Keeps what the reader has done, or says in a line why that is not kept.
fn keep<T>(change: impl FnOnce(&mut Progress) -> T) {
    Progress::update(change).unwrap_or_else(cli::print_error);
}

fn hint(drill: &Drill, screen: &Screen) -> (Value, String) {
    let mut number = 1;
    keep(|progress| {
        let seen = progress.hints.entry(drill.file()).or_default();
        *seen = (*seen + 1).min(drill.hints.len());
        number = *seen;
    });
    let words = drill.hints[number - 1];
    let line = format!("Hint {number} of 3: {words}");
    (
        json!({ "hint": number, "text": words }),
        hanging(&line, screen.width(), 2),
    )
}

fn solution(drill: &Drill, is_allowed: bool) -> Result<(Value, String), ExitCode> {
    if !is_allowed {
        let message =
            "the solution comes after yours; add --give-up to see it now, or --hint for less";
        return Err(refuse(message));
    }
    let text = drill.text("solution");
    Ok((json!({ "solution": text }), text.trim_end().to_owned()))
}

fn reset(drill: &Drill) -> Result<(Value, String), ExitCode> {
    let (place, shipped) = (drill.place(), drill.shipped());
    let name = format!("lab/drills/src/{}.rs", drill.file());
    let is_own = fs::read(&place).is_ok_and(|text| text != shipped.as_bytes());
    let kept = is_own.then(|| format!("{name}.old"));
    let copied = match is_own {
        true => fs::copy(&place, place.with_extension("rs.old")).map(drop),
        false => Ok(()),
    };
    match copied.and_then(|()| fs::write(&place, shipped)) {
        Ok(()) => {
            let document = json!({ "reset": name, "kept": kept });
            let kept = kept.map(|kept| format!("; what you wrote is in `{kept}`"));
            let kept = kept.unwrap_or_default();
            Ok((document, format!("`{name}` is as it was at first{kept}")))
        }
        Err(error) => {
            cli::print_error(format!("cannot write `{name}`: {error}"));
            Err(ExitCode::FAILURE)
        }
    }
}

/// Prints lines, or one document.
fn print(screen: &Screen, args: &DrillArgs, document: &Value, lines: &[String]) {
    if args.json {
        screen.print(&document.to_string());
    } else {
        screen.print(&lines.join("\n"));
    }
}

fn list(args: &DrillArgs, progress: &Progress, screen: &Screen) {
    let is_done = |drill: &Drill| progress.drills.contains(&drill.file());
    let line = |drill: &&Drill| {
        let mark = if is_done(drill) { "✓" } else { " " };
        format!(
            "{mark}{:>3} {:<24} {}",
            drill.number,
            drill.name.replace('_', " "),
            drill.lesson()
        )
    };
    let mut lines: Vec<String> = DRILLS.iter().map(line).collect();
    let done = DRILLS.iter().filter(|drill| is_done(drill)).count();
    lines.push(format!("\n{done} of {} done. Repair lab/drills/src/dNN_….rs, then:\n  cargo run -- drill 1 (--hint --solution --reset --watch)", DRILLS.len()));
    let document = |drill: &&Drill| json!({ "number": drill.number, "name": drill.file(), "lesson": drill.lesson(), "task": drill.task, "done": is_done(drill) });
    let all: Vec<_> = DRILLS.iter().map(document).collect();
    print(screen, args, &json!({ "drills": all }), &lines);
}

/// Checks the reader's file, with `--watch` after every change.
fn check(drill: &Drill, args: &DrillArgs, screen: &Screen) -> ExitCode {
    if let Err(code) = end_on_interrupt(screen) {
        return code;
    }
    let changed = || drill.place().metadata().ok()?.modified().ok();
    loop {
        let at = changed();
        let code = check_once(drill, args, screen);
        if !args.watch {
            return code;
        }
        screen.print("\nwatching; save the file to check again, Ctrl-C ends");
        while changed() == at {
            thread::sleep(Duration::from_millis(200));
        }
        let rule = "─".repeat(20);
        screen.print(&format!("\n{rule} saved; checking again {rule}\n"));
    }
}

fn check_once(drill: &Drill, args: &DrillArgs, screen: &Screen) -> ExitCode {
    let (verdict, printed) = match reader::check(drill) {
        Ok(seen) => seen,
        Err(error) => return fail(drill, args, screen, &error.to_string()),
    };
    let done = verdict.fault.is_none();
    let mut lines = vec![
        format!("drill {} · {}", drill.number, drill.name.replace('_', " ")),
        String::new(),
    ];
    lines.extend(verdict.lines(screen.width()));
    if !printed.is_empty() {
        lines.push("\n  the last that your code printed, in all runs of the check:".into());
        lines.extend(printed.iter().map(|line| format!("    {line}")));
    }
    if done {
        keep(|progress| progress.drills.insert(drill.file()));
        let next = DRILLS.get(drill.number).map(|next| next.number);
        let next = next.map(|next| format!("; next: cargo run -- drill {next}"));
        let next = next.unwrap_or_default();
        lines.push(format!("  a solution to compare with: --solution{next}"));
    } else {
        lines.push(help(drill, screen.width()));
    }
    let document = json!({ "drill": drill.file(), "done": done, "fault": verdict.fault, "picture": verdict.picture(80), "printed": printed });
    print(screen, args, &document, &lines);
    ExitCode::from(u8::from(!done))
}

/// What to do, where, and with what.
fn help(drill: &Drill, width: usize) -> String {
    let task = hanging(drill.task, width, 7);
    let (file, number, lesson) = (drill.file(), drill.number, drill.lesson());
    format!(
        "\nTask   {task}\nFile   lab/drills/src/{file}.rs\n{CRATES}\nHelp   cargo run -- drill {number} --hint\nLesson {lesson}"
    )
}

/// A file that could not be checked.
fn fail(drill: &Drill, args: &DrillArgs, screen: &Screen, error: &str) -> ExitCode {
    if args.json {
        let document = json!({ "drill": drill.file(), "done": false, "error": error });
        screen.print(&document.to_string());
    }
    match error.starts_with("error") {
        // rustc's, with lines of its own.
        true => _ = writeln!(io::stderr(), "{error}\n{}", help(drill, screen.width())),
        false => cli::print_error(error),
    }
    ExitCode::FAILURE
}
