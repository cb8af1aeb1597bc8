//! What a span costs: not recorded, and recorded by the lab's timeline.

use side_by_side::{Group, Program, Row, Setting, Side, Unit, serve};
use std::{
    env,
    hint::black_box,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};
use timeline::Timeline;
use tokio::runtime::Builder;

/// The argument that makes this program run one of the rows: whether spans are recorded is settled
/// once in a process.
const ARGUMENT: &str = "--recorder=";

/// Spans in a turn, at most: more would be thinned, which is another work.
const MOST_SPANS: u64 = 150_000;

/// Serves a row if this process was started for that.
pub(crate) fn take_role() -> Option<ExitCode> {
    let argument = env::args().nth(1)?;
    let way = argument.strip_prefix(ARGUMENT)?;
    let timeline = (way.starts_with("on")).then(|| Timeline::new().install());
    if way.starts_with("registry") {
        // The only way to fail is that one is set already.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    }
    let span = match way {
        "none" => plain,
        "on, task" => in_task,
        _ => in_span,
    };
    Some(serve(|count| {
        let took = span(count)?;
        let kept = timeline.as_ref().map(|it| it.take().toll.spans);
        let (kept, expected) = (kept.unwrap_or(0), timeline.as_ref().map_or(0, |_| count));
        anyhow::ensure!(kept == expected, "{kept} spans instead of {expected}");
        Ok(took)
    }))
}

pub(crate) fn group(_: &Setting) -> anyhow::Result<Group> {
    let rows = [
        (Side::Floor, "no span in the code", "none"),
        (Side::Ours, "recorder off", "off"),
        (Side::Peer, "tracing, registry alone", "registry"),
        (Side::Ours, "recorder on", "on"),
        (Side::Ours, "recorder on, a task", "on, task"),
    ];
    let rows = rows.map(|(side, name, way)| {
        let mut command = Command::new(env::current_exe()?);
        let program = Program::start(command.arg(format!("{ARGUMENT}{way}")))?;
        let program = program.map_err(|missing| anyhow::anyhow!("it misses `{missing}`"))?;
        Ok(program.row_of(side, name))
    });
    let rows = rows.into_iter().collect::<anyhow::Result<Vec<Row>>>()?;
    let title = "One span around a call that does nothing";
    Ok(Group::new(title, Unit::Time, rows).in_counts_of(100, MOST_SPANS))
}

fn work(n: u64) -> u64 {
    black_box(n)
}

#[tracing::instrument(name = "work", level = "info", skip_all)]
fn work_in_span(n: u64) -> u64 {
    work(n)
}

#[tracing::instrument(name = "task", level = "info", skip_all, fields(task = n))]
async fn work_in_task(n: u64) -> u64 {
    work(n)
}

fn plain(count: u64) -> anyhow::Result<Duration> {
    Ok(timed(count, work))
}

fn in_span(count: u64) -> anyhow::Result<Duration> {
    Ok(timed(count, work_in_span))
}

fn in_task(count: u64) -> anyhow::Result<Duration> {
    let runtime = Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let start = Instant::now();
        for n in 0..count {
            work_in_task(n).await;
        }
        Ok(start.elapsed())
    })
}

fn timed(count: u64, call: fn(u64) -> u64) -> Duration {
    let start = Instant::now();
    for n in 0..count {
        black_box(call(n));
    }
    start.elapsed()
}
