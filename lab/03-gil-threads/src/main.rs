//! Shows what two threads do for CPU work: freely, under a GIL, and in the reader's own Python.

mod beside;
mod claims;

use beside::Beside;
use claims::{HOLDING, RELEASING, SEQUENTIAL, THREADS, UNDER_GIL};
use common::{
    Bound, Lab, Step, Tally,
    cli::{RoundsArgs, up_to},
    format,
};
use lab_03_gil_threads::{
    Waited, count_sequential, count_threaded, count_threaded_under_gil, gil::Gil, wait_holding_gil,
    wait_releasing_gil,
};
use measure::workload::io_wait_blocking;
use serde::Serialize;
use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/03_gil_demo_threads.py"],
    question: "do threads help CPU work?",
    why: "Two threads can use two CPUs unless something makes them take turns. A GIL does: a thread \
          must hold it to run, so however many CPUs there are, one at a time does the work. Around a \
          wait it is let go, because a thread that waits needs no turn; that is why threads overlap \
          waits even in a Python that has one.",
    try_next: &[
        "cargo run -p lab-03-gil-threads -- --switch-interval 50: longer turns, easy to see; is it faster?",
        "taskset -c 0 cargo run -p lab-03-gil-threads: what is left of the difference on one CPU?",
        "cargo run -p lab-04-gil-processes: two processes, and what they cost to start",
    ],
};

const JOBS: usize = 2;
const WAIT: Duration = Duration::from_millis(100);

#[derive(clap::Args, Debug, Serialize)]
struct GilArgs {
    /// Steps that each of the two jobs counts down: the script's WORK
    #[arg(long, value_name = "N", default_value = "5_000_000", value_parser = up_to::<1_000_000_000>, allow_negative_numbers = true)]
    work: NonZeroUsize,

    /// How many times WORK a job in Rust does, because Rust counts that much faster
    #[arg(long, value_name = "N", default_value = "50", value_parser = up_to::<10_000>, allow_negative_numbers = true)]
    scale: NonZeroUsize,

    /// Milliseconds that a thread waits for the emulated GIL before it asks for it; CPython's are 5
    #[arg(long, value_name = "MS", default_value = "5", value_parser = up_to::<10_000>, allow_negative_numbers = true)]
    #[serde(rename = "switch_interval_ms")]
    switch_interval: NonZeroUsize,

    /// The Python to compare with, perhaps one without a GIL; otherwise the PATH's python3, if any
    #[arg(long, value_name = "PATH", conflicts_with = "no_python")]
    python: Option<PathBuf>,

    /// Leave Python out
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_python: bool,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: RoundsArgs,
}

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &GilArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let mut python = Beside::open(args, lab)?;
    let (work, rounds) = (args.work.get() as u64, args.rounds.rounds.get());
    let steps = work * args.scale.get() as u64;
    lab.say(format!(
        "rust: a job counts down {} × {} steps",
        format::count(work),
        args.scale
    ));
    let interval = Duration::from_millis(args.switch_interval.get() as u64);
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds} …"));
        count(lab, steps, interval)?;
        wait(lab, interval)?;
        python.run(lab);
    }
    for variant in [SEQUENTIAL, THREADS, UNDER_GIL, HOLDING, RELEASING] {
        say_elapsed(lab, variant);
    }
    claims::claim(lab);
    python.conclude(lab);
    Ok(())
}

fn count(lab: &mut Lab, steps: u64, interval: Duration) -> anyhow::Result<()> {
    let tally = |counted: &Vec<u64>| Tally::of_checked(counted, |&count| count == steps);
    lab.variant(SEQUENTIAL)
        .bound(Bound::Work { workers: 1 })
        .run_counted(|| Ok(count_sequential(JOBS, steps)), tally)?;
    lab.variant(THREADS)
        .bound(Bound::Work { workers: JOBS })
        .run_counted(|| Ok(count_threaded(JOBS, steps)?), tally)?;
    let gil = Gil::new(interval);
    lab.variant(UNDER_GIL)
        // Only the holder works: one worker, however many threads.
        .bound(Bound::Work { workers: 1 })
        .run_counted(
            || Ok(count_threaded_under_gil(JOBS, steps, &gil)?),
            |run| tally(&run.counted),
        )?;
    Ok(())
}

fn wait(lab: &mut Lab, interval: Duration) -> anyhow::Result<()> {
    let gil = Gil::new(interval);
    let bound = |at_once| Bound::Waits {
        each: Some(WAIT),
        count: JOBS,
        at_once,
    };
    let tally = |_: &Waited| Tally::all_done(JOBS);
    let io = || io_wait_blocking(WAIT);
    lab.variant(HOLDING)
        .other_work()
        .bound(bound(1))
        .run_counted(|| Ok(wait_holding_gil(JOBS, &gil, io)?), tally)?;
    lab.variant(RELEASING)
        .other_work()
        .bound(bound(JOBS))
        .run_counted(|| Ok(wait_releasing_gil(JOBS, &gil, io)?), tally)?;
    Ok(())
}

fn say_elapsed(lab: &Lab, variant: &str) {
    if let Some(wall) = lab.wall(variant) {
        lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
    }
}
