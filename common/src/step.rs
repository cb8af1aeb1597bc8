//! From the command line to the exit code.

use crate::{
    cli::{self, CommonArgs, Usage},
    lab::{Lab, Left, State},
    path,
    question::Guesser,
};
use measure::{host::Host, inherited, timing::Housekeeper};
use process_pool::child::{self, Role};
use report::{
    Cast, Document, Pointer, SCHEMA, Screen, ScreenOptions, Source,
    file::{self, ResultFile},
    page,
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    io::{self, IsTerminal},
    iter, mem,
    path::PathBuf,
    process::ExitCode,
    slice,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};
use timeline::Timeline;

/// How long an interrupted step may take to print what it has, and then to say that it cannot.
const GRACE: Duration = Duration::from_secs(2);
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What Ctrl-C finds of a run.
type Running = (Arc<Mutex<State>>, Screen);

/// One step of the path: what its report is headed with and closed by.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The package's name; write `env!("CARGO_PKG_NAME")`.
    pub package: &'static str,
    /// The scripts that it mirrors.
    pub mirrors: &'static [&'static str],
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
        if let Some(code) = cli::take_role(roles) {
            return code;
        }
        inherited::end_with_parent();
        if let Some(way_out) = inherited::short_of_stack() {
            report::print_error(way_out);
            return ExitCode::FAILURE;
        }
        let about = format!("{}\n\nMirrors {}.", self.question, self.mirrors.join(", "));
        match cli::parse::<Own>(self.package, about) {
            Ok((own, common)) => self.perform(&own, &common, demonstrate),
            Err(code) => code,
        }
    }

    fn perform<Own: Serialize>(
        &self,
        own: &Own,
        common: &CommonArgs,
        demonstrate: impl FnOnce(&Own, &mut Lab) -> anyhow::Result<()>,
    ) -> ExitCode {
        let running = Self::report_on_interrupt();
        common.color.apply();
        if let Some(path) = file::named_twice(&[&common.trace, &common.report, &common.cast]) {
            report::print_error(format_args!(
                "`{}` is named for two results; give each a file of its own",
                path.display()
            ));
            return ExitCode::from(2);
        }
        let opened =
            ResultFiles::create(common).and_then(|results| Ok((results, self.screen(common)?)));
        let (results, screen) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                report::print_error(cli::in_one_line(&error));
                return ExitCode::FAILURE;
            }
        };
        if common.clear && io::stdout().is_terminal() {
            screen.say("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
        let timeline = Timeline::with_declared_tasks().install();
        let document = self.document(own, common);
        screen.say(report::header(&document, screen.width()));
        let shown = match (common.json, common.verbose) {
            (true, _) => Shown::Json,
            (_, true) => Shown::All,
            _ => Shown::Screen,
        };
        let state = State::new(document, results, shown);
        let guesser = common.predict.as_deref().map(Guesser::of);
        let mut lab = Lab::new(state, screen, timeline, common.pause, guesser, common.seed);
        // Set once: this is the only run of the process.
        let _ = running.set((Arc::clone(&lab.state), lab.screen()));
        let outcome = demonstrate(own, &mut lab);
        self.close(&lab, outcome)
    }

    /// The screen that was asked for.
    fn screen(&self, common: &CommonArgs) -> anyhow::Result<Screen> {
        let cast = |path: &PathBuf| {
            // A take is worth more than any other result: nobody makes it twice alike.
            let is_taken = !common.force && path.metadata().is_ok_and(|about| about.is_file());
            anyhow::ensure!(
                !is_taken,
                "there is a recording in `{}` already; name another file, or use --force",
                path.display()
            );
            let file = ResultFile::create(path, "the recording", "--cast")?;
            let title = format!("{} · {}", self.package, self.question);
            let coloured = common.color.in_recordings();
            anyhow::Ok(Cast::new(file, &title, common.width, coloured))
        };
        let results = [&common.trace, &common.report, &common.cast];
        Ok(Screen::new(ScreenOptions {
            silent: common.json,
            ascii: common.ascii,
            width: common.width,
            reads_keys: common.reads_keys(),
            goes_on_unread: results.into_iter().any(Option::is_some),
            cast: common.cast.as_ref().map(cast).transpose()?,
        }))
    }

    fn document(&self, own: &impl Serialize, common: &CommonArgs) -> Document {
        let mut params = serde_json::to_value(own).unwrap_or(Value::Null);
        if params.is_null() {
            params = Value::Object(serde_json::Map::new());
        }
        if let (Value::Object(params), Ok(Value::Object(shared))) =
            (&mut params, serde_json::to_value(common))
        {
            params.extend(shared);
        }
        Document {
            schema: SCHEMA,
            step: self.package.into(),
            question: self.question.into(),
            mirrors: self.mirrors.iter().map(|&script| script.into()).collect(),
            why: self.why.into(),
            remember: self.remember.into(),
            predict: Pointer::to(self.predict.1, self.predict.0),
            next: path::after(self.package).map(|stop| Pointer::to(stop.package, stop.question)),
            sources: self.sources().collect(),
            command: command(self.package, given()),
            host: Host::inspect(),
            params,
            variants: Vec::new(),
            figures: BTreeMap::new(),
            claims: Vec::new(),
            curves: Vec::new(),
            tables: Vec::new(),
            questions: Vec::new(),
            error: None,
        }
    }

    /// The mechanism's files, by the paths that spans report.
    fn sources(&self) -> impl Iterator<Item = Source> {
        let folder = self.package.replacen('-', "/", 1);
        let sources = self.sources.iter();
        sources.map(move |(file, text)| Source {
            // A file that lessons share lies beside their folders.
            file: match file.strip_prefix("../../../") {
                Some(shared) => shared.into(),
                None => format!("{folder}/src/{file}"),
            },
            text: (*text).into(),
        })
    }

    /// Reports, and returns the exit code; what was measured is never lost to a later failure.
    fn close(&self, lab: &Lab, outcome: anyhow::Result<()>) -> ExitCode {
        let screen = lab.screen();
        let outcome =
            outcome.and_then(|()| Ok(lab.pause("Enter shows what this run shows, r starts over")?));
        screen.release_keys();
        let mut failure = outcome.err();
        match failure.as_ref().and_then(|error| error.downcast_ref()) {
            Some(Left::Over) => return run_again(),
            Some(Left::Quit) => failure = None,
            None => {}
        }
        let mut state = lab.state();
        let mut messages: Vec<String> = failure.iter().map(cli::in_one_line).collect();
        messages.append(&mut state.failures);
        let error = (!messages.is_empty()).then(|| messages.join("; "));
        messages.extend(conclude(&mut state, &screen, error));
        for message in &messages {
            screen.print_error(message);
        }
        messages.extend(finish_cast(&screen));
        match failure {
            Some(error) if error.is::<Usage>() => ExitCode::from(2),
            _ if !messages.is_empty() => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    /// On Ctrl-C, reports the variants that were finished and ends with exit code 1.
    ///
    /// Children live in process groups of their own and end with their links; guests are killed.
    fn report_on_interrupt() -> Arc<OnceLock<Running>> {
        let running = Arc::new(OnceLock::new());
        let seen = Arc::clone(&running);
        let housekeeper = Housekeeper::enrol();
        let handled = inherited::on_interrupt(move |reason| {
            let _housekeeper = &housekeeper;
            end_within(GRACE, reason);
            child::kill_guests();
            report_interrupted(seen.get(), reason);
            exit();
        });
        // Without a handler Ctrl-C ends the run at once, which is the usual behaviour.
        drop(handled);
        running
    }
}

/// Concludes, prints and writes what goes to files; returns what could not be written.
fn conclude(state: &mut State, screen: &Screen, error: Option<String>) -> Vec<String> {
    let results = mem::take(&mut state.results);
    let shown = state.shown;
    let document = state.conclude(error);
    let mut unwritten = Vec::new();
    match print(document, screen, shown) {
        // A reader who has gone has seen enough; the exit code and the errors still tell.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            unwritten.push(report::unwritten(&error));
        }
        _ => {}
    }
    // An old page is worth more than one that says nothing.
    let results = if document.variants.is_empty() {
        ResultFiles::default()
    } else {
        results
    };
    let errors = results.write(document).into_iter();
    unwritten.extend(errors.map(|error| cli::in_one_line(&error)));
    unwritten
}

/// How much of a run is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The screen.
    Screen,
    /// All there is, and then the screen.
    All,
    /// One JSON document.
    Json,
}

fn print(document: &Document, screen: &Screen, shown: Shown) -> io::Result<()> {
    if shown == Shown::Json {
        return screen.try_print(&report::json(document));
    }
    if document.variants.is_empty() {
        return Ok(());
    }
    screen.mark("report");
    if shown == Shown::All {
        screen.try_print(&format!("\n{}", report::verbose(document, screen.width())))?;
    }
    let most = path::rows(&document.step);
    let summary = report::summary(document, screen.view(most));
    screen.try_print_in_parts(&format!("\n{summary}"))
}

fn report_interrupted(running: Option<&Running>, reason: &str) {
    let message = |finished: usize| format!("{reason}; variants finished before that: {finished}");
    let Some((state, screen)) = running else {
        report::print_error(message(0));
        return;
    };
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.finished {
        return;
    }
    let message = message(state.runs.len());
    screen.clear_bars();
    screen.release_keys();
    let unwritten = conclude(&mut state, screen, Some(message.clone()));
    for line in iter::once(message).chain(unwritten) {
        screen.print_error(line);
    }
    finish_cast(screen);
}

/// Writes what was recorded; prints, and returns, why it could not be.
fn finish_cast(screen: &Screen) -> Option<String> {
    let message = cli::in_one_line(&screen.finish().err()?);
    screen.print_error(&message);
    Some(message)
}

/// Runs this program once more as it was started.
fn run_again() -> ExitCode {
    let again = env::current_exe().and_then(|program| {
        std::process::Command::new(program)
            .args(env::args_os().skip(1))
            .status()
    });
    match again {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            report::print_error(format_args!("cannot run again: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a run is to be kept, besides what it prints.
#[derive(Debug, Default)]
pub(crate) struct ResultFiles {
    trace: Option<ResultFile>,
    report: Option<ResultFile>,
}

impl ResultFiles {
    fn create(common: &CommonArgs) -> anyhow::Result<Self> {
        let place = |path: &Option<PathBuf>, what, flag| {
            let path = path.as_deref();
            path.map(|path| ResultFile::create(path, what, flag))
                .transpose()
        };
        Ok(Self {
            trace: place(&common.trace, "the trace", "--trace")?,
            report: place(&common.report, "the page", "--report")?,
        })
    }

    /// Writes each, whatever becomes of the others; returns what went wrong.
    fn write(self, document: &Document) -> Vec<anyhow::Error> {
        let trace = |file: ResultFile| file.write(&report::trace(document).to_string());
        let page = |file: ResultFile| file.write(&page::of(slice::from_ref(document), &[]));
        let written = [self.trace.map(trace), self.report.map(page)];
        let written = written.into_iter().flatten();
        written.filter_map(Result::err).collect()
    }
}

/// The command that a reader types to run the step again; where results go is the reader's own choice.
fn command(package: &str, flags: impl Iterator<Item = String>) -> String {
    const PLACES: [&str; 3] = ["--trace", "--report", "--cast"];
    let mut words = format!("cargo run -p {package}");
    let mut kept = Vec::new();
    let mut flags = flags.peekable();
    while let Some(flag) = flags.next() {
        if PLACES.contains(&flag.as_str()) {
            flags.next();
        } else if flag != "--json" && !PLACES.iter().any(|it| flag.starts_with(&format!("{it}="))) {
            kept.push(quoted(&flag));
        }
    }
    if !kept.is_empty() {
        words = format!("{words} -- {}", kept.join(" "));
    }
    words
}

/// The arguments of this process; what is no UTF-8 is shown as �.
fn given() -> impl Iterator<Item = String> {
    let arguments = env::args_os().skip(1);
    arguments.map(|argument| argument.to_string_lossy().into_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
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
            report::print_error(
                "the system starts no more threads; ask for fewer, or raise `ulimit -u` or `ulimit -v`",
            );
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

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn a_command_leaves_out_where_its_results_went() {
        let words = [
            "--json",
            "--work",
            "2 CPUs",
            "--report",
            "a.html",
            "--trace=b",
        ];
        let flags = words.into_iter().map(String::from);
        assert_eq!(
            command("lab-07-locks", flags),
            "cargo run -p lab-07-locks -- --work '2 CPUs'"
        );
        assert_eq!(
            command("lab-07-locks", [].into_iter()),
            "cargo run -p lab-07-locks"
        );
    }
}
