//! Shows what two threads do for CPU work: freely, under a GIL, and in the reader's own Python.

mod claims;
mod flags;
mod python;

use anyhow::ensure;
use common::{Bound, Lab, Measure, Question, Step, Tally, format};
use flags::Args;
use lab_03_gil_threads::{gil::Gil, sum_sequential, sum_threaded, sum_threaded_under_gil};
use python::Python;
use std::{process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/03_gil_demo_threads.py (threading.Thread, cpu_heavy)",
    question: "threads for CPU work?",
    why: "Two threads can use two CPUs unless something makes them take turns. A GIL does: a thread \
          must hold it to run, so however many CPUs there are, one at a time does the work. Around a \
          wait it is released; that is why threads overlap waits even in a Python that has one.",
    remember: "Under a GIL one thread works at a time, however many CPUs there are. A thread that \
              waits releases it, so threads still help with I/O.",
    predict: (
        "Turns of 50 ms instead of 5: does the work finish sooner?",
        "cargo run -p lab-03-gil-threads -- --switch-interval 50",
    ),
    sources: common::sources!["lib.rs", "gil.rs"],
};

const JOBS: u64 = 2;

// The variants' names.
const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const UNDER_GIL: &str = "two threads, GIL";

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Two threads under one GIL compute: how many times as fast as one?";
    let ask = Question::faster(UNDER_GIL, SEQUENTIAL, text);
    let answers = ["not faster", "twice", "more than that"];
    lab.predict(ask, &answers, &[1.33, 3.0]);
    lab.legend("two threads, GIL: Rust threads under an emulated GIL. python: your own Python, with smaller jobs.");
    let mut python = Python::open(args, lab)?;
    let (work, scale) = (args.work.get() as u64, args.scale.get() as u64);
    let shown = format::count(work);
    lab.say(format!("Rust: a job is {shown} × {scale} products"));
    let gil = Gil::new(Duration::from_millis(args.switch_interval.get() as u64));
    let rounds = args.rounds.rounds.get();
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds} …"));
        compute(lab, work * scale, &gil)?;
        if let Some(Err(error)) = python.as_ref().map(|python| python.compute(lab)) {
            python = None;
            lab.fail(format!("{error:#}; leave it out with --no-python"));
        }
    }
    claims::waits(lab, &gil)?;
    claims::work(lab);
    python.inspect(|python| python.claim(lab));
    Ok(())
}

/// Does the CPU work in three ways, and notes how the GIL was shared.
fn compute(lab: &mut Lab, steps: u64, gil: &Gil) -> anyhow::Result<()> {
    let sums = &mut Vec::new();
    let alone = || Ok(sum_sequential(JOBS, steps));
    add_up(lab.variant(SEQUENTIAL), 1, sums, alone)?;
    let on_threads = || Ok(sum_threaded(JOBS, steps));
    add_up(lab.variant(THREADS), 2, sums, on_threads)?;
    // Only the holder works: one worker, however many threads.
    let in_turns = || Ok(sum_threaded_under_gil(JOBS, steps, gil));
    add_up(lab.variant(UNDER_GIL), 1, sums, in_turns)?;
    let recording = lab.recording(UNDER_GIL);
    let most = recording.most_open("turn");
    lab.note(UNDER_GIL, "most_turns_at_once", most);
    // Who releases it waits until the other has it, so each turn is the other's.
    let changes = recording.named("turn").count().saturating_sub(1);
    lab.note(UNDER_GIL, "times_the_gil_changed_hands", changes);
    Ok(())
}

/// Runs both jobs; the sums that come first are right.
fn add_up(
    variant: Measure<'_>,
    workers: usize,
    right: &mut Vec<u64>,
    jobs: impl FnMut() -> anyhow::Result<Vec<u64>>,
) -> anyhow::Result<()> {
    let is_right = |sum: &u64| right.is_empty() || right.contains(sum);
    let tally = |sums: &Vec<u64>| Tally::of_checked(sums, is_right);
    let variant = variant.bound(Bound::Work { workers });
    // Nothing where the reader skips it.
    if let Some(sums) = variant.run_counted(jobs, tally)? {
        ensure!(right.is_empty() || *right == sums, "other sums on threads");
        *right = sums;
    }
    Ok(())
}
