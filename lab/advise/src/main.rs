//! `cargo run -- advise`: which way for a job of your own.

mod flags;
mod screen;

use anyhow::bail;
use common::{
    cli::{self, Usage},
    host::Host,
    on_interrupt,
    report::{Screen, ScreenOptions, table, wrap},
};
use flags::Args;
use lab_advise::{
    Costs, Job,
    command::{self, Ran},
    costs::MIDDLE,
    grid::Grid,
    model::{Language, forecasts},
    python::Python,
    trial, typical,
    ways::ITEM,
};
use process_pool::child::{Exit, kill_guests};
use screen::Seen;
use serde_json::json;
use std::process::ExitCode;

/// How often each cost is measured, and of a Python, which takes longer.
const ROUNDS: usize = 5;
const ROUNDS_OF_PYTHON: usize = 3;

fn main() -> ExitCode {
    if let Some(code) = cli::take_role(&[&ITEM]) {
        return code;
    }
    let args = match cli::parse_alone::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    // Worker processes end with their links, a foreign program does not.
    if let Err(error) = on_interrupt(end) {
        cli::print_error(format!("cannot watch for Ctrl-C: {error}"));
        return ExitCode::FAILURE;
    }
    let screen = Screen::new(ScreenOptions {
        silent: args.json,
        ascii: args.ascii,
        width: args.width,
        ..ScreenOptions::default()
    });
    match run(args, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.print_error(cli::in_one_line(&error));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

#[expect(clippy::exit, reason = "an interrupted run ends here")]
fn end(reason: &str) {
    kill_guests();
    cli::print_error(reason);
    std::process::exit(1)
}

fn run(args: Args, screen: &Screen) -> anyhow::Result<()> {
    let args = &args.asked(screen.width())?;
    if let Some(count) = args.grid {
        return compare(count.get(), args, screen);
    }
    if args.table {
        return show_table(args, screen);
    }
    let Some(line) = &args.run else {
        return advise(args, &args.job()?, None, screen);
    };
    let items = args.items_of_the_command()?;
    let ran = command::run(line, args.run_limit(), args.json)?;
    if ran.exit != Some(Exit::Code(0)) {
        return refuse(args, &ran, screen);
    }
    let (wait_s, cpu_s) = ran.each(items);
    advise(args, &args.job_of(items, wait_s, cpu_s), Some(ran), screen)
}

/// No advice on a command that failed or was killed, but its figures.
fn refuse(args: &Args, ran: &Ran, screen: &Screen) -> anyhow::Result<()> {
    let end = ran.end();
    if args.json {
        let document = json!({ "schema": screen::SCHEMA, "run": ran, "error": end });
        screen.print(&document.to_string());
    }
    screen.say(ran.figures());
    match ran.exit {
        Some(_) => bail!("{end}: the figures of a run that fails say little; mend it first"),
        None => bail!("{end}; --run-limit gives it more time"),
    }
}

/// The machine; its costs with what is free now, then as advice takes them, which is for Python, too.
fn measure(args: &Args, screen: &Screen) -> anyhow::Result<(Host, [Costs; 2], Python)> {
    screen.say("measuring what threads, tasks and processes cost here, now …");
    let mut host = Host::inspect();
    let now = Costs::measure(ROUNDS)?;
    host.parallelism = now.free(MIDDLE);
    let costs = match args.now {
        true => now.clone(),
        false => now.undisturbed(),
    };
    let python = Python::measure(&costs, ROUNDS_OF_PYTHON);
    Ok((host, [now, costs], python))
}

fn advise(args: &Args, job: &Job, ran: Option<Ran>, screen: &Screen) -> anyhow::Result<()> {
    let (host, [now, costs], python) = measure(args, screen)?;
    let rust = forecasts(job, &costs, Language::Rust);
    let mut trial = None;
    if args.tries {
        screen.say("trying the two best ways and the worst, taking turns …");
        trial = trial::run(job, &now, &rust)?;
    }
    let seen = Seen {
        rust,
        host,
        now,
        costs,
        python,
        ran,
        trial,
    };
    screen.print(&match args.json {
        true => seen.document(job).to_string(),
        false => seen.lines(job, screen.width()),
    });
    Ok(())
}

/// What to use when, on this machine.
fn show_table(args: &Args, screen: &Screen) -> anyhow::Result<()> {
    let (host, [_, costs], python) = measure(args, screen)?;
    let mut found = typical::table(&costs, &python);
    if args.json {
        screen.print(&json!(found).to_string());
        return Ok(());
    }
    // The others are for the page, which is wider.
    const COLUMNS: usize = 4;
    found.rows.iter_mut().for_each(|row| row.truncate(COLUMNS));
    let names: Vec<&str> = found.headings.iter().map(String::as_str).collect();
    let rows = table(&names[..COLUMNS], found.rows, &[0, 1, 3], screen.width());
    let (title, machine) = (found.title, host.cpus_in_words());
    screen.print(&format!("\n{title} · {machine}\n\n{rows}"));
    screen.print(&wrap(&found.notes.join("\n"), screen.width(), 0));
    Ok(())
}

/// How wrong the predictions are.
fn compare(count: usize, args: &Args, screen: &Screen) -> anyhow::Result<()> {
    let grid = Grid::run(count, args.seed, |done| {
        if done % 10 == 0 {
            screen.say(format!("{done} of {count} jobs"));
        }
    })?;
    if args.json {
        screen.print(&json!(grid).to_string());
        return Ok(());
    }
    let rows = table(&Grid::HEADINGS, grid.rows(), &[0], screen.width());
    screen.print(&format!("\n{rows}"));
    screen.print(&wrap(&grid.summary().join("\n"), screen.width(), 0));
    Ok(())
}
