//! Walks the path: all of it, one wing, or one step.

mod hands;

use clap::{Parser, Subcommand};
use common::{cli, format};
use indicatif::{ProgressBar, ProgressStyle};
use lab_00_tour::{
    path::{self, PATH, Stop, Wing},
    summary::{self, Document},
    walk,
};
use report::{Screen, ScreenOptions, file::ResultFile, page};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    process::{Command, ExitCode},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// The whole path in one go, or one step of it
///
/// Without an argument: builds every step, runs each at a quick pace, and ends in one table. A step,
/// such as `07` or `basics-1`, runs alone, with the flags behind it: `cargo run -- 07 --threads 4`.
/// `next` says which step is next, `progress` what you have done, `play` lists games in which you
/// are the scheduler, `drill` programs to repair, `diagnose` bugs to find; `advise` says which way is for a job
/// of your own.
#[derive(Parser)]
#[command(version, name = "lab-00-tour", disable_help_subcommand = true)]
#[command(
    override_usage = "lab-00-tour [OPTIONS] [list | next | progress | play | drill | diagnose | advise | STEP [FLAGS OF THE STEP]]"
)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    /// Walk only this wing
    #[arg(long, value_name = "WING", global = true)]
    only: Option<Wing>,

    /// Run every step at its own pace, as it runs without flags
    #[arg(long)]
    full: bool,

    /// Print one JSON document with the documents of all steps, and nothing else
    #[arg(long)]
    json: bool,

    /// Write all steps as one HTML page to FILE; opens in any browser, without a network
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Run what was built last, without asking cargo
    #[arg(long)]
    no_build: bool,
}

#[derive(Subcommand)]
enum What {
    /// Show the path: every step, its minutes on film, its question
    List,
    /// A step and its flags.
    #[command(external_subcommand)]
    Step(Vec<String>),
}

fn main() -> ExitCode {
    let arguments = match cli::parse_alone::<Arguments>() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    if let Some(reason) = arguments.at_odds() {
        return print_error(2, &reason);
    }
    match &arguments.what {
        None => tour(&arguments),
        Some(What::List) => {
            list(&path::stops(arguments.only), &Screen::default());
            ExitCode::SUCCESS
        }
        Some(What::Step(words)) => {
            if let Some(code) = hands::run(words, arguments.no_build) {
                return code;
            }
            let (word, flags) = words.split_first().expect("clap gives the name as well");
            match path::find(word) {
                Some(stop) => run_alone(stop, flags, arguments.no_build),
                None => print_error(
                    2,
                    &format!(
                        "no step `{word}`; `cargo run -- list` shows all {}",
                        PATH.len()
                    ),
                ),
            }
        }
    }
}

impl Arguments {
    /// What does not go together: a flag that would be ignored is refused.
    fn at_odds(&self) -> Option<String> {
        let (what, list) = match self.what.as_ref()? {
            What::List => ("list", true),
            What::Step(words) => (words.first()?.as_str(), false),
        };
        let flag = match self {
            Self { json: true, .. } => "--json",
            Self { full: true, .. } => "--full",
            Self {
                report: Some(_), ..
            } => "--report",
            Self { only: Some(_), .. } if !list => "--only",
            _ => return None,
        };
        Some(format!(
            "`{flag}` is for the whole tour, not for `{what}`; put a step's own flags behind it"
        ))
    }
}

fn print_error(code: u8, message: &str) -> ExitCode {
    cli::print_error(message);
    ExitCode::from(code)
}

fn list(stops: &[&Stop], screen: &Screen) {
    let minutes: u32 = stops.iter().map(|stop| stop.minutes).sum();
    for stop in stops {
        screen.print(&format!(
            "{:<30} {:>2} min  {}",
            stop.package, stop.minutes, stop.question
        ));
    }
    screen.print(&format!("{} steps, {minutes} minutes on film", stops.len()));
}

/// Hands over to the step and passes its exit code on; `cargo run -p` builds it first.
fn run_alone(stop: &Stop, flags: &[String], no_build: bool) -> ExitCode {
    let mut command = if no_build {
        match walk::built(&[stop]).remove(stop.package) {
            Some(binary) => Command::new(binary),
            None => return print_error(1, &format!("{} is not built yet", stop.package)),
        }
    } else {
        let mut command = walk::cargo();
        command.args(["run", "--quiet", "-p", stop.package]);
        command.args(walk::profile()).arg("--");
        command
    };
    command.args(flags);
    if walk::built(&[stop]).is_empty() {
        let line = "building it; the first time this takes some minutes";
        let _ = writeln!(io::stderr(), "{}: {line}", stop.package);
    }
    // Ctrl-C reaches the step too: it reports, and this program waits for it.
    let _interrupt = walk::interrupt_flag();
    match command.status() {
        Ok(status) => ExitCode::from(
            status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
        ),
        Err(error) => print_error(
            1,
            &format!("cannot start {}: {error}", command.get_program().display()),
        ),
    }
}

/// What the tour has seen so far.
#[derive(Default)]
struct Seen {
    documents: Vec<Document>,
    whole: Vec<Value>,
    /// What failing steps had measured by then.
    broken: Vec<Value>,
    failures: Vec<String>,
    /// The step that runs, or ran last.
    current: &'static str,
}

fn tour(arguments: &Arguments) -> ExitCode {
    let place = arguments.report.as_deref();
    let place = place.map(|path| ResultFile::create(path, "the page", "--report"));
    let page = match place.transpose() {
        Ok(page) => page,
        Err(error) => return print_error(1, &format!("{error:#}")),
    };
    let screen = Screen::new(ScreenOptions {
        silent: arguments.json,
        goes_on_unread: page.is_some(),
        ..ScreenOptions::default()
    });
    let stops = path::stops(arguments.only);
    if !arguments.json {
        list(&stops, &screen);
    }
    let built = stops
        .iter()
        .copied()
        .chain(page.is_some().then_some(&hands::ADVISE));
    let binaries = match find_binaries(arguments, &built.collect::<Vec<_>>(), &screen) {
        Ok(binaries) => binaries,
        Err(error) => return print_error(1, &format!("{error:#}")),
    };
    let interrupted = walk::interrupt_flag();
    let seen = visit_all(&stops, &binaries, arguments, &interrupted, &screen);
    let interrupted = interrupted.load(Ordering::SeqCst);
    let trouble = trouble(&seen, stops.len(), interrupted);
    let advising = (!interrupted).then_some(&binaries);
    let written = page.map(|page| write_page(page, &seen, trouble.as_deref(), advising));
    let unwritten = written.and_then(|written| Some(format!("{:#}", written.err()?)));
    let lost = screen.lost_lines().map(String::from);
    let messages: Vec<String> = trouble.into_iter().chain(unwritten).chain(lost).collect();
    if messages.is_empty() {
        return ExitCode::SUCCESS;
    }
    messages.iter().for_each(cli::print_error);
    ExitCode::FAILURE
}

fn find_binaries(
    arguments: &Arguments,
    stops: &[&Stop],
    screen: &Screen,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    if arguments.no_build {
        return Ok(walk::built(stops));
    }
    if !arguments.json {
        screen.print("\nbuilding …");
    }
    walk::build(stops)
}

/// Runs one step after another and returns their results.
fn visit_all(
    stops: &[&Stop],
    binaries: &BTreeMap<String, PathBuf>,
    arguments: &Arguments,
    interrupted: &AtomicBool,
    screen: &Screen,
) -> Seen {
    if !arguments.json {
        let pace = if arguments.full {
            "at full length"
        } else {
            "at a quick pace"
        };
        screen.print(&format!("\nrunning {pace}\n{}", summary::head()));
    }
    let started = Instant::now();
    let mut seen = Seen::default();
    for stop in stops {
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
        visit(stop, binaries, arguments, interrupted, screen, &mut seen);
    }
    let walked = format::seconds(started.elapsed());
    if arguments.json {
        screen.print(&json!({ "steps": seen.whole, "failures": seen.failures }).to_string());
    } else {
        conclude(&seen, stops.len(), &walked, screen);
    }
    seen
}

/// What went wrong, in one line.
fn trouble(seen: &Seen, all: usize, interrupted: bool) -> Option<String> {
    let failed = seen.failures.join(", ");
    if interrupted {
        let message = format!(
            "interrupted in {}, after {} of {all} steps",
            seen.current,
            seen.documents.len()
        );
        return Some(if failed.is_empty() {
            message
        } else {
            format!("{message}; failed before that: {failed}")
        });
    }
    let count = seen.failures.len();
    (count > 0).then(|| format!("{count} of {all} steps failed: {failed}"))
}

/// Writes what was finished, what failing steps had measured, and what went wrong.
fn write_page(
    page: ResultFile,
    seen: &Seen,
    trouble: Option<&str>,
    advising: Option<&BTreeMap<String, PathBuf>>,
) -> anyhow::Result<()> {
    let all = seen.whole.iter().cloned().map(serde_json::from_value);
    let mut documents: Vec<common::Document> = all.collect::<Result<_, _>>()?;
    // A step that broke down may have printed anything.
    let broken = seen.broken.iter().cloned().map(serde_json::from_value);
    documents.extend(broken.filter_map(Result::ok));
    let table = advising.map(hands::table).transpose();
    let untold = table.as_ref().err().map(|error| format!("{error:#}"));
    let trouble: Vec<String> = trouble
        .map(str::to_owned)
        .into_iter()
        .chain(untold)
        .collect();
    page.write(&page::of(
        &documents,
        &trouble,
        table.as_ref().ok().and_then(Option::as_ref),
    ))?;
    table.map(drop)
}

/// Runs one step and prints its line; a failure is printed with its output.
fn visit(
    stop: &Stop,
    binaries: &BTreeMap<String, PathBuf>,
    arguments: &Arguments,
    interrupted: &AtomicBool,
    screen: &Screen,
    seen: &mut Seen,
) {
    let spinner = if arguments.json {
        ProgressBar::hidden()
    } else {
        ProgressBar::new_spinner()
    };
    let all = path::stops(arguments.only).len();
    let place = seen.documents.len() + seen.failures.len() + 1;
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    spinner.set_style(style.expect("a constant template"));
    spinner.set_message(format!("{place} of {all} · {}", stop.package));
    seen.current = stop.package;
    spinner.enable_steady_tick(Duration::from_millis(100));
    let flags = if arguments.full { &[] } else { stop.quick };
    let started = Instant::now();
    let outcome = match binaries.get(stop.package) {
        Some(binary) => walk::run(binary, flags, interrupted),
        None if arguments.no_build => Err(anyhow::anyhow!("it is not built yet")),
        None => Err(anyhow::anyhow!("it did not build")),
    };
    spinner.finish_and_clear();
    match outcome {
        Ok((document, whole)) => {
            if !arguments.json {
                screen.print(&document.line(started.elapsed().as_secs_f64()));
            }
            seen.documents.push(document);
            seen.whole.push(whole);
        }
        Err(_) if interrupted.load(Ordering::SeqCst) => {}
        Err(error) => {
            // The tour's last line says it again, should nobody read this.
            let _ = writeln!(io::stderr(), "✗ {} failed: {error:#}", stop.package);
            seen.failures.push(stop.package.into());
            let failed = error.downcast_ref::<walk::Failed>();
            let whole = failed.and_then(|failed| failed.whole.clone());
            seen.broken.extend(whole);
        }
    }
}

fn conclude(seen: &Seen, all: usize, walked: &str, screen: &Screen) {
    let lines = summary::closing(&seen.documents, screen.width());
    screen.print(&format!("\n{}", lines.join("\n")));
    if let Some(line) = summary::not_shown(&seen.documents) {
        screen.print(&report::wrap(&line, screen.width(), 0));
    }
    let (shown, claims) = seen
        .documents
        .iter()
        .map(Document::claims_shown)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    screen.print(&format!(
        "{} of {all} steps in {walked}; {shown} of {claims} claims shown on this machine, now",
        seen.documents.len()
    ));
    screen.print("As a page: cargo run -- --report lab.html");
    screen.print("Start: cargo run -p basics-0-sequential");
}
