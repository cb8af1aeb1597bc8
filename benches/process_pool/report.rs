//! What the bench says, and the same figures as JSON.

use crate::{
    figures::{self, Spread},
    memory::Queue,
    python::Python,
    rounds::{Measured, MeasuredRow, Plan, Side},
};
use anyhow::Context;
use common::{
    host::Host,
    report::{format, table},
};
use serde_json::{Map, Value, json};
use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

const WIDTH: usize = 80;

/// How to read the tables.
const LEGEND: &str = "\
×floor, ×bound: the row's speed against the floor's, its time against the bound
A÷it: the speed of ours against the row's; all ratios are medians of the rounds'";

/// Standard output was closed, as by `| head -1`.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads on")]
pub(crate) struct NobodyReads;

fn say(text: fmt::Arguments<'_>) -> anyhow::Result<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(NobodyReads.into()),
        written => written.context("cannot write to standard output"),
    }
}

pub(crate) struct Report {
    environment: Value,
    groups: Vec<Value>,
}

impl Report {
    pub(crate) fn open(python: &Python, plan: &Plan) -> anyhow::Result<Self> {
        let host = Host::inspect();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
        let kernel = kernel.ok().map(|text| text.trim().to_owned());
        say(format_args!("{}", host.one_line()))?;
        say(format_args!("python: {}", python.version))?;
        if plan.is_test {
            say(format_args!(
                "each once and small: the figures mean nothing"
            ))?;
        } else {
            let rounds = plan.rounds;
            say(format_args!("medians of {rounds} rounds, and their range"))?;
        }
        say(format_args!("{LEGEND}"))?;
        let python = python.is_there().then_some(&python.version);
        Ok(Self {
            environment: json!({ "host": host, "kernel": kernel, "python": python, "plan": plan }),
            groups: Vec::new(),
        })
    }

    pub(crate) fn tell(&mut self, name: &str, measured: &Measured) -> anyhow::Result<()> {
        let drawn = figures::table_of(measured, WIDTH);
        say(format_args!("\n{}\n{}", measured.title, drawn.trim_end()))?;
        let rows = measured.rows.iter().map(|row| json_of(row, measured));
        self.groups.push(json!({
            "name": name,
            "title": measured.title,
            "unit": measured.unit,
            "rows": rows.collect::<Vec<_>>(),
        }));
        Ok(())
    }

    pub(crate) fn tell_queue(&mut self, queue: &Queue) -> anyhow::Result<()> {
        let unknown = || figures::UNKNOWN.to_owned();
        let count = |files: Option<usize>| files.map_or_else(unknown, |files| files.to_string());
        let bytes = queue.bytes_each.map(|bytes| format!("{bytes:.0} B"));
        let row = vec![
            "ours, submit".into(),
            format::count(queue.tasks),
            count(queue.open_files_before),
            count(queue.open_files),
            bytes.unwrap_or_else(unknown),
        ];
        let names = ["", "waiting", "files before", "files then", "memory each"];
        let drawn = table(&names, vec![row], &[0], WIDTH);
        say(format_args!("\nTasks that wait\n{}", drawn.trim_end()))?;
        if let Some(each) = queue.procspawn_open_files_each {
            say(format_args!(
                "procspawn, with 64 that wait: {each:.1} files each"
            ))?;
        }
        self.groups.push(json!({ "name": "queue", "queue": queue }));
        Ok(())
    }

    /// Writes the figures to `path`, or into the target folder.
    pub(crate) fn write(&self, path: Option<&Path>) -> anyhow::Result<()> {
        let path = path.map_or_else(
            || PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/process_pool.json")),
            Path::to_owned,
        );
        let document = json!({ "environment": self.environment, "groups": self.groups });
        fs::write(&path, format!("{document:#}\n"))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        say(format_args!("\nfigures: {}", path.display()))
    }
}

fn json_of(row: &MeasuredRow, measured: &Measured) -> Value {
    let named = |spread: Spread| json!({ "median": spread.middle, "min": spread.least, "max": spread.greatest });
    let ours = measured.of(Side::Ours).map(|own| {
        let ratio = named(figures::speed_against(own, row));
        (own.name.clone(), ratio)
    });
    let floor = measured.of(Side::Floor).next();
    json!({
        "name": row.name,
        "side": row.side,
        "count": row.count,
        "each_s": row.each_s,
        "in_unit": named(figures::in_unit(row, measured.unit)),
        "speed_of_floor": floor.map(|floor| named(figures::speed_against(row, floor))),
        "speed_of_ours_against_it": ours.collect::<Map<_, _>>(),
    })
}
