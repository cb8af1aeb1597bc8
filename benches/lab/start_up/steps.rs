//! Whole processes: the least that two of the steps can be asked for, from start to end.

use crate::process_pool::say_one_byte;
use anyhow::{Context, ensure};
use common::format;
use lab_00_tour::{path::find, walk};
use measure::{host::Host, timing::timed};
use process_pool::child::{Guest, Program};
use serde_json::Value;
use side_by_side::{Group, Python, Row, Setting, Unit};
use std::{
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};
use web::{Server, ServerConfig};

const PYTHON: &str = "first.py";

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let stops = ["basics-0-sequential", "lab-02-threaded-fetch"];
    let stops = stops.map(|name| find(name).expect("the path has it"));
    let built = walk::build(&stops)?;
    let [sums, fetches] = stops.map(|stop| {
        let binary = built.get(stop.package).cloned();
        binary.with_context(|| format!("cargo has built no `{}`", stop.package))
    });
    let (sums, fetches) = (sums?, fetches?);
    let server = Rc::new(Server::start(&Program::this(), ServerConfig::default())?);
    let base = server.base_url().to_string();
    let tiny = ["--scale", "0.0001", "--json"];
    let quick = ["--base-url", &base, "--delay", "0", "--json"];
    let mut rows = vec![
        Row::floor("a copy says one byte", say_one_byte),
        Row::ours(
            "basics-0",
            whole(tiny.map(str::to_owned).into(), move || Command::new(&sums)),
        ),
        {
            let args = quick.map(str::to_owned).into();
            let run = whole(args, move || Command::new(&fetches));
            Row::ours("lab-02, 10 requests", keeping(&server, run))
        },
    ];
    for python in &setting.pythons {
        let url = server.url("delay/0").to_string();
        rows.push(twin(python, "4 sums", vec!["sums".into()]));
        let args = vec!["fetches".into(), url];
        rows.push(twin(python, "10 threads fetch", args));
    }
    let title = "A whole process, from its start to its end: the least two steps can be asked for";
    let group = Group::new(title, Unit::Time, rows).in_counts_of(1, 20);
    // What every step begins with.
    let (_, look) = timed(Host::inspect);
    let look = format::seconds(look);
    let note = format!("each step begins with a look at the machine, which took {look} just now");
    Ok(group.noting([note]))
}

/// Python's twin of a step: an interpreter for each run.
fn twin(python: &Python, name: &str, args: Vec<String>) -> Row {
    let own = python.clone();
    Row::peer(
        python.name(name),
        whole(args, move || own.command(PYTHON, &[])),
    )
}

/// Runs a program to its end so many times; it must succeed, and print a JSON document.
fn whole(
    args: Vec<String>,
    command: impl Fn() -> Command + 'static,
) -> impl FnMut(u64) -> anyhow::Result<Duration> + 'static {
    move |count| {
        let mut took = Duration::ZERO;
        for _ in 0..count {
            let mut command = command();
            command
                .args(&args)
                .stdin(Stdio::null())
                .stdout(Stdio::piped());
            let start = Instant::now();
            let mut guest = Guest::spawn(&mut command).context("it does not start")?;
            let output = guest.child.stdout.take().context("it is piped")?;
            let document: Value = serde_json::from_reader(output).context("it printed no JSON")?;
            let status = guest.child.wait()?;
            took += start.elapsed();
            ensure!(status.success(), "it ended with {status}: {document}");
        }
        Ok(took)
    }
}

/// Holds the server for as long as the row may ask it.
fn keeping(
    server: &Rc<Server>,
    mut run: impl FnMut(u64) -> anyhow::Result<Duration> + 'static,
) -> impl FnMut(u64) -> anyhow::Result<Duration> + 'static {
    let server = Rc::clone(server);
    move |count| {
        let took = run(count);
        // Asked for its number, so that this closure holds it.
        server.id();
        took
    }
}
