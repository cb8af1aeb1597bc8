//! `cargo run -- advise`: which way for a job of your own.

mod flags;
mod screen;

use anyhow::anyhow;
use common::{
    cli::{self, Usage},
    host::Host,
    on_interrupt,
    report::{self, Screen, ScreenOptions, TableReport, wrap},
};
use flags::Args;
use lab_advise::{
    Costs,
    advice::Advised,
    command::{self, Ran},
    costs::MIDDLE,
    grid::Grid,
    model::{Language, PYTHONS},
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
    cli::enter(&[&ITEM]);
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
    let (document, text) = if let Some(count) = args.grid {
        let grid = Grid::run(count.get(), args.seed, |done| {
            if done % 10 == 0 {
                screen.say(format!("{done} of {count} jobs"));
            }
        })?;
        (json!(grid), drawn(grid.table(), screen.width()))
    } else if args.table {
        let (host, [_, costs], python) = measure(args, screen)?;
        let mut table = typical::table(&costs, &python);
        let document = json!(table);
        table.title = format!("{} · {}\n\n", table.title, host.cpus_in_words());
        // The other columns are for the page, which is wider; what Python takes has long names.
        let columns = if screen.width() < 72 { 3 } else { 4 };
        table.headings.truncate(columns);
        table.rows.iter_mut().for_each(|row| row.truncate(columns));
        (document, drawn(table, screen.width()))
    } else {
        let seen = advise(args, screen)?;
        (seen.document(), seen.lines(screen.width()))
    };
    screen.print(&if args.json {
        document.to_string()
    } else {
        text
    });
    Ok(())
}

fn drawn(table: TableReport, width: usize) -> String {
    let names: Vec<&str> = table.headings.iter().map(String::as_str).collect();
    let rows = report::table(&names, table.rows, &table.text_columns, width);
    let notes = wrap(&table.notes.join("\n"), width, 0);
    format!("\n{}{rows}\n{notes}", table.title)
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

fn advise(args: &Args, screen: &Screen) -> anyhow::Result<Seen> {
    let (job, ran) = match &args.run {
        None => (args.job()?, None),
        Some(line) => {
            let items = args.items_of_the_command()?;
            let ran = command::run(line, args.run_limit(), args.json)?;
            if ran.exit != Some(Exit::Code(0)) {
                return Err(refusal(args, &ran, screen));
            }
            let (wait_s, cpu_s) = ran.each(items);
            (args.job_of(items, wait_s, cpu_s), Some(ran))
        }
    };
    let (host, [now, costs], python) = measure(args, screen)?;
    let rust = Advised::new(&job, &costs, Language::Rust);
    let mut trial = None;
    if args.tries {
        screen.say("trying the two best ways and the worst, taking turns …");
        trial = trial::run(&job, &now, &rust.ways)?;
    }
    let pythons = PYTHONS.map(|language| Advised::new(&job, &python.costs, language));
    Ok(Seen {
        job,
        host,
        now,
        costs,
        python,
        rust,
        pythons,
        ran,
        trial,
    })
}

/// No advice on a command that failed or was killed, but its figures.
fn refusal(args: &Args, ran: &Ran, screen: &Screen) -> anyhow::Error {
    let end = ran.end();
    if args.json {
        let document = json!({ "schema": screen::SCHEMA, "run": ran, "error": end });
        screen.print(&document.to_string());
    }
    screen.say(ran.figures());
    match ran.exit {
        Some(_) => anyhow!("{end}: the figures of a run that fails say little; mend it first"),
        None => anyhow!("{end}; --run-limit gives it more time"),
    }
}
