//! Walks the path: all of it, one wing, or one step.

mod hands;

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use common::{Document, cli, format};
use indicatif::{ProgressBar, ProgressStyle};
use lab_00_tour::{
    path::{self, PATH, Stop, Wing},
    summary, walk,
};
use report::{Screen, ScreenOptions, file::ResultFile, page};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
    process::{Command, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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

/// The tour: what it walks, and what it has seen so far.
struct Tour<'a> {
    arguments: &'a Arguments,
    screen: Screen,
    stops: Vec<&'static Stop>,
    binaries: BTreeMap<String, PathBuf>,
    interrupted: Arc<AtomicBool>,
    documents: Vec<Document>,
    /// What failing steps had measured by then.
    broken: Vec<Document>,
    failures: Vec<&'static str>,
    /// The step that runs, or ran last.
    current: &'static str,
}

fn tour(arguments: &Arguments) -> ExitCode {
    let place = arguments.report.as_deref();
    let place = place.map(|path| ResultFile::create(path, "the page", "--report"));
    let walked = place.transpose().and_then(|page| {
        let mut tour = Tour::new(arguments)?;
        tour.walk();
        Ok(tour.end(page))
    });
    let messages = walked.unwrap_or_else(|error| vec![format!("{error:#}")]);
    messages.iter().for_each(cli::print_error);
    ExitCode::from(u8::from(!messages.is_empty()))
}

impl<'a> Tour<'a> {
    /// Lists the steps and builds them.
    fn new(arguments: &'a Arguments) -> anyhow::Result<Self> {
        let mut tour = Self {
            arguments,
            screen: Screen::new(ScreenOptions {
                silent: arguments.json,
                goes_on_unread: arguments.report.is_some(),
                ..ScreenOptions::default()
            }),
            stops: path::stops(arguments.only),
            binaries: BTreeMap::new(),
            interrupted: Arc::default(),
            documents: Vec::new(),
            broken: Vec::new(),
            failures: Vec::new(),
            current: "",
        };
        if !arguments.json {
            list(&tour.stops, &tour.screen);
        }
        let advise = arguments.report.is_some().then_some(&hands::ADVISE);
        let built: Vec<&Stop> = tour.stops.iter().copied().chain(advise).collect();
        tour.binaries = if arguments.no_build {
            walk::built(&built)
        } else {
            tour.say("\nbuilding …");
            walk::build(&built)?
        };
        tour.interrupted = walk::interrupt_flag();
        Ok(tour)
    }

    fn say(&self, text: &str) {
        if !self.arguments.json {
            self.screen.print(text);
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Runs one step after another, and prints what came out.
    fn walk(&mut self) {
        let pace = match self.arguments.full {
            true => "at full length",
            false => "at a quick pace",
        };
        self.say(&format!("\nrunning {pace}\n{}", summary::head()));
        let started = Instant::now();
        for (place, stop) in (1..).zip(self.stops.clone()) {
            if self.is_interrupted() {
                break;
            }
            self.visit(place, stop);
        }
        let (steps, failures) = (&self.documents, &self.failures);
        match self.arguments.json {
            true => {
                (self.screen).print(&json!({ "steps": steps, "failures": failures }).to_string())
            }
            false => self.conclude(&format::seconds(started.elapsed())),
        }
    }

    /// Runs one step and prints its line; a failure is printed with its output.
    fn visit(&mut self, place: usize, stop: &'static Stop) {
        let started = Instant::now();
        self.current = stop.package;
        let spinner = self.spinner(place);
        let flags = if self.arguments.full { &[] } else { stop.quick };
        let outcome = match self.binaries.get(stop.package) {
            Some(binary) => walk::run(binary, flags, &self.interrupted),
            None if self.arguments.no_build => Err(anyhow!("it is not built yet")),
            None => Err(anyhow!("it did not build")),
        };
        spinner.finish_and_clear();
        match outcome {
            Ok(document) => {
                self.say(&summary::line(&document, started.elapsed().as_secs_f64()));
                self.documents.push(document);
            }
            Err(_) if self.is_interrupted() => {}
            Err(error) => {
                // The tour's last line says it again, should nobody read this.
                let _ = writeln!(io::stderr(), "✗ {} failed: {error:#}", stop.package);
                self.failures.push(stop.package);
                let failed = error.downcast::<walk::Failed>();
                self.broken
                    .extend(failed.ok().and_then(|failed| failed.document));
            }
        }
    }

    fn spinner(&self, place: usize) -> ProgressBar {
        let spinner = match self.arguments.json {
            true => ProgressBar::hidden(),
            false => ProgressBar::new_spinner(),
        };
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        spinner.set_style(style.expect("a constant template"));
        spinner.set_message(format!(
            "{place} of {} · {}",
            self.stops.len(),
            self.current
        ));
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    fn conclude(&self, walked: &str) {
        let (screen, documents) = (&self.screen, &self.documents);
        let lines = summary::closing(documents, screen.width());
        screen.print(&format!("\n{}", lines.join("\n")));
        if let Some(line) = summary::not_shown(documents) {
            screen.print(&report::wrap(&line, screen.width(), 0));
        }
        let shown = documents.iter().map(summary::claims_shown);
        let (shown, claims) = shown.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        screen.print(&format!(
            "{} of {} steps in {walked}; {shown} of {claims} claims shown on this machine, now",
            documents.len(),
            self.stops.len()
        ));
        screen.print("As a page: cargo run -- --report lab.html");
        screen.print("Start: cargo run -p basics-0-sequential");
    }

    /// Writes the page; what went wrong, a line each.
    fn end(&self, page: Option<ResultFile>) -> Vec<String> {
        let trouble = self.trouble();
        let written = page.map(|page| self.write_page(page, trouble.as_deref()));
        let unwritten = written.and_then(|written| Some(format!("{:#}", written.err()?)));
        let lost = self.screen.lost_lines().map(String::from);
        trouble.into_iter().chain(unwritten).chain(lost).collect()
    }

    /// What went wrong, in one line.
    fn trouble(&self) -> Option<String> {
        let (all, done, failed) = (self.stops.len(), self.documents.len(), self.failures.len());
        let names = self.failures.join(", ");
        match (self.is_interrupted(), failed) {
            (false, 0) => None,
            (false, _) => Some(format!("{failed} of {all} steps failed: {names}")),
            (true, _) => {
                let before = match failed {
                    0 => String::new(),
                    _ => format!("; failed before that: {names}"),
                };
                let step = self.current;
                Some(format!(
                    "interrupted in {step}, after {done} of {all} steps{before}"
                ))
            }
        }
    }

    /// Writes what was finished, what failing steps had measured, and what went wrong.
    fn write_page(&self, page: ResultFile, trouble: Option<&str>) -> anyhow::Result<()> {
        let documents = [&self.documents[..], &self.broken].concat();
        let advises = !self.is_interrupted();
        let table = advises.then(|| hands::table(&self.binaries)).transpose();
        let untold = table.as_ref().err().map(|error| format!("{error:#}"));
        let trouble: Vec<String> = trouble
            .map(str::to_owned)
            .into_iter()
            .chain(untold)
            .collect();
        let shown = table.as_ref().ok().and_then(Option::as_ref);
        page.write(&page::of(&documents, &trouble, shown))?;
        table.map(drop)
    }
}
