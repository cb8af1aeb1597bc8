//! `cargo run -- advise`: which way for a job of your own.

mod flags;
mod screen;

use common::{
    cli,
    host::Host,
    on_interrupt,
    report::{Screen, ScreenOptions},
};
use flags::Args;
use lab_advise::{Costs, Job, model, python::Python, ways::ITEM};
use process_pool::child::kill_guests;
use serde_json::json;
use std::process::ExitCode;

/// How often each cost is measured.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    if let Some(code) = cli::take_role(&[&ITEM]) {
        return code;
    }
    let args = match cli::parse_alone::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    // Worker processes end with their links, a foreign program does not.
    let watched = on_interrupt(end);
    if let Err(error) = watched {
        cli::print_error(format!("cannot watch for Ctrl-C: {error}"));
        return ExitCode::FAILURE;
    }
    let screen = Screen::new(ScreenOptions {
        silent: args.json,
        ascii: args.ascii,
        width: args.width,
        ..ScreenOptions::default()
    });
    match args.job() {
        Err(refusal) => {
            cli::print_error(refusal);
            ExitCode::from(2)
        }
        Ok(job) => match advise(&args, &job, &screen) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                screen.print_error(cli::in_one_line(&error));
                ExitCode::FAILURE
            }
        },
    }
}

#[expect(clippy::exit, reason = "an interrupted run ends here")]
fn end(reason: &str) {
    kill_guests();
    cli::print_error(reason);
    std::process::exit(1)
}

fn advise(args: &Args, job: &Job, screen: &Screen) -> anyhow::Result<()> {
    screen.say("measuring what threads, tasks and processes cost here, now …");
    let mut host = Host::inspect();
    let costs = Costs::measure(ROUNDS)?;
    let python = Python::measure(&costs, 2);
    host.parallelism = costs.free_cpus.middle;
    let seen = screen::Seen {
        rust: model::forecasts(job, &costs, model::Language::Rust),
        with_gil: python.forecasts(job, true),
        without_gil: python.forecasts(job, false),
        host,
        costs,
        python,
    };
    if args.json {
        screen.print(&json!(seen.document(job)).to_string());
    } else {
        screen.print(&seen.lines(job, screen.width()));
    }
    Ok(())
}
