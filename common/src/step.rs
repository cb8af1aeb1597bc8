//! From the command line to the exit code.

use crate::{
    cli::{self, CommandLine, CommonArgs, Usage},
    command::{command, given},
    lab::{Lab, Quit, State},
    path,
    progress::Progress,
    question::CLASS,
};
use clap::{ColorChoice, CommandFactory};
use measure::{host::Host, inherited, timing::Housekeeper};
use process_pool::child::{self, Role};
use report::{
    Cast, Document, Pointer, SCHEMA, Screen, ScreenOptions, Source,
    file::{self, ResultFile},
    page,
};
use serde::Serialize;
use std::{
    io::{self, IsTerminal},
    mem,
    process::ExitCode,
    slice,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use timeline::Timeline;

/// How long an interrupted step may take to print what it has, and then to say that it cannot.
const GRACE: Duration = Duration::from_secs(2);
const LAST_WORDS: Duration = Duration::from_millis(100);

/// One step of the path: what its report is headed with and closed by.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The package's name; write `env!("CARGO_PKG_NAME")`.
    pub package: &'static str,
    /// The scripts that it mirrors, and in brackets what they use: `lab/05_….py (ThreadPoolExecutor)`.
    pub mirrors: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// The mechanism behind the figures, in general terms; what *this* run shows, claims say.
    pub why: &'static str,
    /// What to remember of it: one or two short sentences, true whatever a run shows.
    pub remember: &'static str,
    /// A question about a variation, and the command that answers it.
    pub predict: (&'static str, &'static str),
    /// The files of its mechanism under `src/` with their texts; write `common::sources!["lib.rs"]`.
    pub sources: &'static [(&'static str, &'static str)],
}

impl Step {
    /// Runs the step: takes a child's role, parses flags, demonstrates, reports.
    ///
    /// `Own` are the step's own flags; `roles` is what its child processes can be.
    pub fn run<Own: clap::Args + Serialize>(
        &self,
        roles: &[&dyn Role],
        demonstrate: impl FnOnce(&Own, &mut Lab) -> anyhow::Result<()>,
    ) -> ExitCode {
        end_where_no_thread_starts();
        cli::enter(roles);
        inherited::end_with_parent();
        if let Some(way_out) = inherited::short_of_stack() {
            report::print_error(way_out);
            return ExitCode::FAILURE;
        }
        let about = format!("{}\n\nMirrors {}.", self.question, self.mirrors);
        let command = CommandLine::<Own>::command();
        match cli::parse(command.name(self.package).about(about)) {
            Ok(CommandLine { own, common }) => self
                .perform(&own, common, demonstrate)
                .unwrap_or_else(|error| cli::failed(&error)),
            Err(code) => code,
        }
    }

    fn perform<Own: Serialize>(
        &self,
        own: &Own,
        args: CommonArgs,
        demonstrate: impl FnOnce(&Own, &mut Lab) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitCode> {
        colour(args.color);
        let (results, cast) = (result_files(&args)?, self.cast(&args)?);
        let screen = Screen::new(ScreenOptions {
            silent: args.json,
            ascii: args.ascii,
            width: args.width,
            reads_keys: args.pause || matches!(args.predict.as_deref(), Some("" | CLASS)),
            goes_on_unread: !results.is_empty() || cast.is_some(),
            cast,
        });
        let state = State {
            document: self.document(own, args.seed),
            results,
            ..State::default()
        };
        let mut lab = Lab {
            state: Arc::new(Mutex::new(state)),
            screen,
            timeline: Timeline::with_declared_tasks().install(),
            args,
        };
        report_on_interrupt(lab.clone());
        // The first of it takes a while, in which Ctrl-C may come.
        let host = Host::inspect();
        lab.state().document.host = host;
        if lab.args.clear && io::stdout().is_terminal() {
            lab.say("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
        let header = report::header(&lab.state().document, lab.screen.width());
        lab.say(header);
        let outcome = demonstrate(own, &mut lab);
        Ok(close(&lab, outcome))
    }

    /// The recording that was asked for.
    fn cast(&self, common: &CommonArgs) -> anyhow::Result<Option<Cast>> {
        let Some(path) = &common.cast else {
            return Ok(None);
        };
        // A take is worth more than any other result: nobody makes it twice alike.
        if !common.force && path.is_file() {
            let place = path.display();
            let way_out = "name another file, or use --force";
            anyhow::bail!("there is a recording in `{place}` already; {way_out}");
        }
        let file = ResultFile::create(path, "the recording", "--cast")?;
        let title = format!("{} · {}", self.package, self.question);
        // Players know colour, whatever this terminal does.
        let is_coloured = common.color != ColorChoice::Never;
        let size = (common.width, path::rows(self.package) + 1);
        Ok(Some(Cast::new(file, &title, size, is_coloured)))
    }

    fn document(&self, own: &impl Serialize, seed: u64) -> Document {
        let names = self.mirrors.split(" (").next().unwrap_or_default();
        let mut params = serde_json::to_value(own).expect("flags are plain data");
        params["seed"] = seed.into();
        // By the paths that spans report.
        let source = |(file, text): &(&str, &str)| Source {
            file: format!("{}/src/{file}", self.package.replacen('-', "/", 1)),
            text: (*text).into(),
        };
        Document {
            schema: SCHEMA,
            step: self.package.into(),
            question: self.question.into(),
            mirrors: names.split(", ").map(String::from).collect(),
            scripts: self.mirrors.into(),
            why: self.why.into(),
            remember: self.remember.into(),
            predict: Pointer::to(self.predict.1, self.predict.0),
            next: path::after(self.package).map(|stop| Pointer::to(stop.package, stop.question)),
            sources: self.sources.iter().map(source).collect(),
            command: command(self.package, given()),
            params,
            ..Document::default()
        }
    }
}

fn colour(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Reports, and returns the exit code; what was measured is never lost to a later failure.
fn close(lab: &Lab, outcome: anyhow::Result<()>) -> ExitCode {
    let prompt = "Enter shows what this run shows, q quits";
    let outcome = outcome.and_then(|()| Ok(lab.pause(prompt)?));
    lab.screen.release_keys();
    let failure = outcome.err().filter(|error| !error.is::<Quit>());
    let mut state = lab.state();
    let mut messages: Vec<String> = failure.iter().map(cli::in_one_line).collect();
    messages.append(&mut state.failures);
    let has_failed = conclude(lab, &mut state, messages);
    match failure {
        Some(error) => cli::exit_code(&error),
        None => ExitCode::from(u8::from(has_failed)),
    }
}

/// On Ctrl-C, reports the variants that were finished and ends with exit code 1.
///
/// Children live in process groups of their own and end with their links; guests are killed.
fn report_on_interrupt(lab: Lab) {
    let housekeeper = Housekeeper::enrol();
    let handled = inherited::on_interrupt(move |reason| {
        let _housekeeper = &housekeeper;
        end_within(GRACE, reason);
        child::kill_guests();
        let mut state = lab.state();
        if !state.finished {
            let finished = state.runs.iter().filter(|runs| runs.median().is_some());
            let finished = finished.count();
            let message = format!("{reason}; variants finished before that: {finished}");
            lab.screen.clear_bars();
            lab.screen.release_keys();
            conclude(&lab, &mut state, vec![message]);
        }
        exit();
    });
    // Without a handler Ctrl-C ends the run at once, which is the usual behaviour.
    drop(handled);
}

/// Concludes, prints, and writes what goes to files; whether anything failed, by then or in that.
fn conclude(lab: &Lab, state: &mut State, mut messages: Vec<String>) -> bool {
    let results = mem::take(&mut state.results);
    let error = (!messages.is_empty()).then(|| messages.join("; "));
    state.document.host.look_again();
    let document = state.conclude(error);
    let unwritten = print(lab, document).err();
    // A reader who has gone has seen enough; the exit code and the errors still tell.
    let unwritten = unwritten.filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    messages.extend(unwritten.iter().map(report::unwritten));
    // An old page is worth more than one that says nothing.
    if !document.variants.is_empty() {
        let results = results.into_iter();
        let written = results.map(|(file, text)| file.write(&text(document)));
        messages.extend(written.filter_map(|it| Some(cli::in_one_line(&it.err()?))));
    }
    let print_error = |message| lab.screen.print_error(message);
    messages.iter().for_each(print_error);
    // The recording has those errors, too.
    let unrecorded = lab.screen.finish().err();
    let unrecorded = unrecorded.as_ref().map(cli::in_one_line);
    unrecorded.iter().for_each(print_error);
    !messages.is_empty() || unrecorded.is_some()
}

fn print(lab: &Lab, document: &Document) -> io::Result<()> {
    let screen = &lab.screen;
    if lab.args.json {
        return screen.try_print(&serde_json::to_string_pretty(document)?);
    }
    if document.variants.is_empty() {
        return Ok(());
    }
    // Progress is a comfort: no step fails for it.
    Progress::ran(document).unwrap_or_else(|error| screen.print_error(error));
    screen.mark("report");
    if lab.args.verbose {
        screen.try_print(&format!("\n{}", report::verbose(document, screen.width())))?;
    }
    let rows = screen.rows(path::rows(&document.step));
    let summary = report::summary(document, screen.width(), rows);
    screen.try_print(&format!("\n{summary}"))
}

/// Where a run is to be kept, besides what it prints, and the text that goes there.
pub(crate) type ResultFiles = Vec<(ResultFile, fn(&Document) -> String)>;

fn result_files(common: &CommonArgs) -> anyhow::Result<ResultFiles> {
    if let Some(path) = file::named_twice(&[&common.trace, &common.report, &common.cast]) {
        let path = path.display();
        let message = format!("`{path}` is named for two results; give each a file of its own");
        return Err(Usage(message).into());
    }
    let mut results = ResultFiles::new();
    if let Some(path) = &common.trace {
        let file = ResultFile::create(path, "the trace", "--trace")?;
        results.push((file, |document| report::trace(document).to_string()));
    }
    if let Some(path) = &common.report {
        let file = ResultFile::create(path, "the page", "--report")?;
        results.push((file, |document| {
            page::of(slice::from_ref(document), &[], None)
        }));
    }
    Ok(results)
}

/// Ends the process after this time, whatever is in the way: a full pipe that is not read, for one.
fn end_within(limit: Duration, reason: &'static str) {
    let watchdog = thread::Builder::new().spawn(move || {
        thread::sleep(limit);
        // That pipe may be the one for errors too.
        thread::spawn(move || {
            report::print_error(format_args!("{reason}; its output is not read"))
        });
        thread::sleep(LAST_WORDS);
        exit();
    });
    // Without a thread to spare, the report alone decides when it ends.
    drop(watchdog);
}

/// Ends the run in one line where the system refuses a thread: those that did start may wait for it.
///
/// Lessons start their threads as everybody does, by calls that panic then.
fn end_where_no_thread_starts() {
    process_pool::panics::keep_quiet(|panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        let is_refusal = message.contains("kind: WouldBlock")
            || message.contains("spawn") && message.contains("thread");
        if is_refusal {
            report::print_error(cli::NO_THREAD);
            exit();
        }
        false
    });
}

/// Ends the process from another thread than `main`, which is busy or stuck.
#[expect(
    clippy::exit,
    reason = "an interrupted run ends here; children end with their links"
)]
fn exit() -> ! {
    std::process::exit(1)
}
