//! The process pool beside what people use instead, row by row in turns.
//!
//! Not criterion: what is asked is how rows compare, and on a machine that is shared two rows compare
//! only when they ran within the same second. Every round runs every row once; ratios are taken
//! within a round.

mod balance;
mod far_end;
mod figures;
mod memory;
mod ours;
mod pipe;
mod procspawn;
mod python;
mod report;
mod rounds;
mod tasks;

use clap::Parser;
use common::{
    child,
    cli::{Usage, complain, parse_alone, up_to},
};
use python::Python;
use rounds::{Group, Plan, Row, Unit};
use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode};

/// All pools have so many.
pub(crate) const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Time the process pool beside pipes by hand, procspawn and Python's pools
#[derive(Debug, Parser)]
#[command(name = "process_pool")]
struct Args {
    /// Run only the groups whose name contains this
    filter: Option<String>,

    /// Run every row this often, taking turns
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<100>)]
    rounds: NonZeroUsize,

    /// The Python to compare with; otherwise the PATH's python3, if any
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,

    /// Where the figures go as JSON; otherwise a file in the target folder
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,

    /// Run everything once, small
    #[arg(long)]
    test: bool,

    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    // Workers of all kinds are copies of this program: the pool's and the pipes' are told by an
    // argument, procspawn's by a variable of the environment, and none is told by both.
    if let Some(code) = child::take_role(&ours::ROLES) {
        return code;
    }
    if let Some(code) = far_end::take_role() {
        return code;
    }
    procspawn::take_role();
    let args = match parse_alone::<Args>() {
        Ok(args) => args,
        Err(code) => return code,
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<report::NobodyReads>() => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("{error:#}"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// Makes a group, with a Python where there is one.
type Build = fn(&Python) -> anyhow::Result<Group>;

fn run(args: &Args) -> anyhow::Result<()> {
    let plan = if args.test {
        Plan::once()
    } else {
        Plan::of(args.rounds)
    };
    let python = Python::find(args.python.as_deref())?;
    let mut report = report::Report::open(&python, &plan)?;
    let groups: [(&str, Build); 8] = [
        ("map", map),
        ("stream", stream),
        ("one in flight", one_in_flight),
        ("ready", ready),
        ("payload", payload),
        ("balance: four long", balance::four_long),
        ("balance: many of 1 ms", balance::many_of_a_millisecond),
        ("balance: short and long", balance::short_and_long),
    ];
    let wanted = |name: &str| {
        let filter = args.filter.as_deref();
        filter.is_none_or(|filter| name.contains(filter))
    };
    for (name, group) in groups.into_iter().filter(|(name, _)| wanted(name)) {
        let group = group(&python)?;
        report.tell(name, &group.take_turns(&plan)?)?;
    }
    if wanted("queue") {
        report.tell_queue(&memory::measure(&plan)?)?;
    }
    report.write(args.json.as_deref())
}

fn map(python: &Python) -> anyhow::Result<Group> {
    let mut rows = vec![
        Row::floor("pipe, 64, batched", pipe::in_batches()?),
        Row::ours("map", ours::map()?),
        Row::peer("procspawn, chunk 100", procspawn::in_chunks()?),
    ];
    rows.extend(python.row("multiprocessing.Pool.map", &["pool-map"])?);
    rows.extend(python.row("Executor.map, chunk 100", &["executor-map-100"])?);
    Ok(Group::new("Map over a slice of numbers", Unit::Tasks, rows))
}

fn stream(python: &Python) -> anyhow::Result<Group> {
    let mut rows = vec![
        Row::floor("pipe, 64 ahead", pipe::one_by_one()?),
        Row::ours("map_unordered", ours::unordered()?),
        Row::ours("submit, 64 ahead", ours::submit_ahead(64)?),
        Row::ours("submit all, wait", ours::submit_ahead(usize::MAX)?),
        Row::peer("procspawn, 64 ahead", procspawn::ahead()?),
    ];
    rows.extend(python.row("Pool.imap, chunk 1", &["imap-1"])?);
    rows.extend(python.row("Pool.imap, chunk 100", &["imap-100"])?);
    rows.extend(python.row("Executor.map, chunk 1", &["executor-map-1"])?);
    let title = "Stream: tasks as they come, results as they complete";
    Ok(Group::new(title, Unit::Tasks, rows))
}

fn one_in_flight(python: &Python) -> anyhow::Result<Group> {
    let mut rows = vec![
        Row::floor("pipe", pipe::one_in_flight()?),
        Row::ours("call", ours::call()?),
        Row::ours("submit, wait", ours::submit_ahead(1)?),
        Row::peer("procspawn, spawn, join", procspawn::one_in_flight()?),
    ];
    rows.extend(python.row("Executor.submit, result", &["executor-one"])?);
    Ok(Group::new("One task in flight", Unit::Tasks, rows))
}

fn ready(python: &Python) -> anyhow::Result<Group> {
    let mut rows = vec![
        Row::floor("bare re-exec", pipe::say_one_byte),
        Row::ours("1 ready", ours::ready(NonZeroUsize::MIN)),
        Row::ours("2 ready, each", ours::ready(WORKERS)),
        Row::ours("first result", ours::first_result),
        Row::peer("procspawn, first result", procspawn::first_result),
    ];
    rows.extend(python.row("Pool, fork, first result", &["ready", "fork"])?);
    rows.extend(python.row("Pool, spawn, first result", &["ready", "spawn"])?);
    let group = Group::new("A worker from nothing", Unit::Time, rows);
    Ok(group.in_counts_of(2, 20))
}

fn payload(_: &Python) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("pipe", pipe::echo()?),
        Row::ours("call", ours::echo_one_in_flight()?),
        Row::ours("map", ours::echo_map()?),
        Row::ours("map of Vec<u8>", ours::echo_map_of_plain_vectors()?),
        Row::peer("procspawn, spawn, join", procspawn::echo()?),
    ];
    let group = Group::new("1 MiB there and back", Unit::Payload, rows);
    Ok(group.in_counts_of(4, 64))
}
