//! From the command line to the exit code.

use super::{Document, Experiment, SCHEMA};
use crate::{
    child::{self, Role},
    cli::{self, CommonArgs, Usage},
    host::Host,
    narrator::{self, Narrator},
    report, timeline,
    timing::Housekeeper,
};
use serde::Serialize;
use serde_json::Value;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::{Arc, PoisonError},
};

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
    /// Commands to try next, each with what to look for: `cargo run -p … -- --workers 4: …`.
    pub try_next: &'static [&'static str],
}

impl Step {
    /// Runs the step: takes a child's role, parses flags, demonstrates, reports.
    ///
    /// `Own` are the step's own flags; `roles` is what its child processes can be.
    pub fn run<Own: clap::Args + Serialize>(
        &self,
        roles: &[&dyn Role],
        demonstrate: impl FnOnce(&Own, &mut Experiment) -> anyhow::Result<()>,
    ) -> ExitCode {
        if let Some(code) = child::take_role(roles) {
            return code;
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
        demonstrate: impl FnOnce(&Own, &mut Experiment) -> anyhow::Result<()>,
    ) -> ExitCode {
        common.color.apply();
        if common.clear && io::stdout().is_terminal() && !common.json {
            narrator::print_lines("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        }
        let trace = match common
            .trace
            .as_deref()
            .map(report::TraceFile::create)
            .transpose()
        {
            Ok(trace) => trace,
            Err(error) => return complain(&error),
        };
        timeline::install();
        let narrator = Narrator::new(common.json);
        let document = self.document(own, common);
        narrator.say(report::header(&document));
        let mut experiment = Experiment::new(document, narrator, common.pause, common.seed);
        self.report_on_interrupt(&experiment, common.json);
        let outcome = demonstrate(own, &mut experiment);
        self.close(&experiment, outcome, trace, common.json)
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
            host: Host::inspect(),
            params,
            variants: Vec::new(),
            claims: Vec::new(),
            error: None,
        }
    }

    /// Reports and tells the exit code; what was measured is never lost to a later failure.
    fn close(
        &self,
        experiment: &Experiment,
        outcome: anyhow::Result<()>,
        trace: Option<report::TraceFile>,
        json: bool,
    ) -> ExitCode {
        let mut state = experiment.state();
        let failure = outcome.err();
        let mut messages: Vec<String> = failure.iter().map(|error| format!("{error:#}")).collect();
        messages.append(&mut state.failures);
        let document = state.conclude((!messages.is_empty()).then(|| messages.join("; ")));
        self.print(document, json);
        if let Some(error) = trace.and_then(|trace| trace.write(document).err()) {
            messages.push(format!("{error:#}"));
        }
        for message in &messages {
            eprintln!("error: {message}");
        }
        match failure {
            Some(error) if error.is::<Usage>() => ExitCode::from(2),
            _ if !messages.is_empty() => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    fn print(&self, document: &Document, json: bool) {
        if json {
            narrator::print_lines(&report::json(document));
        } else if !document.variants.is_empty() {
            narrator::print_lines(&report::terminal(document, self, report::width()));
        }
    }

    /// On Ctrl-C, reports the variants that were finished and ends with exit code 1.
    ///
    /// Children live in process groups of their own and end with their links.
    fn report_on_interrupt(&self, experiment: &Experiment, json: bool) {
        let (step, state, narrator) = (*self, Arc::clone(&experiment.state), experiment.narrator());
        let housekeeper = Housekeeper::enrol();
        let handled = ctrlc::set_handler(move || {
            let _housekeeper = &housekeeper;
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.finished {
                let finished = state.runs.len();
                let message = format!("interrupted; variants finished before that: {finished}");
                narrator.clear();
                step.print(state.conclude(Some(message.clone())), json);
                eprintln!("error: {message}");
            }
            // Ctrl-C arrives in a thread of its own; `main` is busy.
            std::process::exit(1);
        });
        // A second handler in one process is refused; the first serves as well.
        drop(handled);
    }
}

fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
