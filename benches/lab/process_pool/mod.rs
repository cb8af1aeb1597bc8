//! The process pool beside pipes by hand, the crate procspawn and Python's pools.

mod balance;
mod far_end;
mod ours;
mod pipe;
mod procspawn;
mod queue;
mod tasks;

pub(crate) use balance::{four_long, many_of_a_millisecond, short_and_long};
pub(crate) use ours::ROLES;
pub(crate) use pipe::say_one_byte;
pub(crate) use queue::group as queue;

use side_by_side::{Group, Row, Setting, Unit};
use std::{num::NonZeroUsize, process::ExitCode};

/// All pools have so many.
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

const PYTHON: &str = "pools.py";

/// Becomes the far end of a pipe, or a worker of procspawn's, if this process was started as one.
pub(crate) fn take_role() -> Option<ExitCode> {
    let code = far_end::take_role();
    if code.is_none() {
        procspawn::take_role();
    }
    code
}

pub(crate) fn map(setting: &Setting) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("pipe, 64, batched", pipe::in_batches()?),
        Row::ours("map", ours::map()?),
        Row::peer("procspawn, chunk 100", procspawn::in_chunks()?),
    ];
    let group = Group::new(
        "Map over a slice of numbers",
        Unit::per_second("tasks"),
        rows,
    );
    Ok(group
        .with(setting.python("Pool.map", PYTHON, &["pool-map"]))
        .with(setting.python("Executor.map, 100", PYTHON, &["executor-map-100"])))
}

pub(crate) fn stream(setting: &Setting) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("pipe, 64 ahead", pipe::one_by_one()?),
        Row::ours("map_unordered", ours::unordered()?),
        Row::ours("the same, retries, timeout", ours::unordered_with(false)?),
        Row::ours("the same, and a hook", ours::unordered_with(true)?),
        Row::ours("submit, 64 ahead", ours::submit_ahead(64)?),
        Row::ours("submit all, wait", ours::submit_ahead(usize::MAX)?),
        Row::peer("procspawn, 64 ahead", procspawn::ahead()?),
    ];
    let title = "Stream: tasks as they come, results as they complete";
    Ok(Group::new(title, Unit::per_second("tasks"), rows)
        .with(setting.python("Pool.imap, 1", PYTHON, &["imap-1"]))
        .with(setting.python("Pool.imap, 100", PYTHON, &["imap-100"]))
        .with(setting.python("Executor.map, 1", PYTHON, &["executor-map-1"])))
}

pub(crate) fn one_in_flight(setting: &Setting) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("pipe", pipe::one_in_flight()?),
        Row::ours("call", ours::call()?),
        Row::ours("submit, wait", ours::submit_ahead(1)?),
        Row::peer("procspawn, spawn, join", procspawn::one_in_flight()?),
    ];
    let group = Group::new("One task in flight", Unit::per_second("tasks"), rows);
    Ok(group.with(setting.python("submit, result", PYTHON, &["executor-one"])))
}

pub(crate) fn ready(setting: &Setting) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("bare re-exec", say_one_byte),
        Row::ours("1 ready", ours::ready(NonZeroUsize::MIN)),
        Row::ours("2 ready, each", ours::ready(WORKERS)),
        Row::ours("first result", ours::first_result),
        Row::peer("procspawn, first result", procspawn::first_result),
    ];
    let group = Group::new("A worker from nothing", Unit::Time, rows).in_counts_of(2, 20);
    Ok(group
        .with(setting.python("fork, first result", PYTHON, &["ready", "fork"]))
        .with(setting.python("spawn, first result", PYTHON, &["ready", "spawn"])))
}

pub(crate) fn payload(_: &Setting) -> anyhow::Result<Group> {
    let rows = vec![
        Row::floor("pipe", pipe::echo()?),
        Row::ours("call", ours::echo_one_in_flight()?),
        Row::ours("map", ours::echo_map()?),
        Row::ours("map of Vec<u8>", ours::echo_map_of_plain_vectors()?),
        Row::peer("procspawn, spawn, join", procspawn::echo()?),
    ];
    let group = Group::new("1 MiB there and back", Unit::per_second("MiB"), rows);
    Ok(group.in_counts_of(4, 64))
}
