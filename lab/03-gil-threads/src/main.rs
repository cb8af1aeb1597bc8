//! Shows what two threads do for CPU work: freely, under a GIL, and in the reader's own Python.

mod beside;
mod claims;
mod flags;
mod python;

use beside::Beside;
use common::{
    Bound, Lab, Step, Tally,
    claim::{Count, Figure},
    format,
};
use flags::GilArgs;
use lab_03_gil_threads::{
    count_sequential, count_threaded, count_threaded_under_gil, gil::Gil, wait_holding_gil,
    wait_releasing_gil,
};
use measure::workload::io_wait_blocking;
use std::{process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/03_gil_demo_threads.py"],
    question: "do threads help CPU work?",
    why: "Two threads can use two CPUs unless something makes them take turns. A GIL does: a thread \
          must hold it to run, so however many CPUs there are, one at a time does the work. Around a \
          wait it is released, because a thread that waits needs no turn; that is why threads overlap \
          waits even in a Python that has one.",
    remember: "Under a GIL one thread works at a time, however many CPUs there are. A thread that \
              waits releases it, so threads still help with I/O.",
    predict: (
        "turns ten times as long: does the work finish sooner?",
        "cargo run -p lab-03-gil-threads -- --switch-interval 50",
    ),
    sources: common::sources!["lib.rs", "gil.rs"],
};

const JOBS: usize = 2;
const WAIT: Duration = Duration::from_millis(100);

// The variants' names.
const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const UNDER_GIL: &str = "two threads, GIL";
const HOLDING: &str = "waits, GIL held";
const RELEASING: &str = "waits, GIL let go";

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &GilArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let mut python = Beside::open(args, lab)?;
    let (work, rounds) = (args.work.get() as u64, args.rounds.rounds.get());
    let steps = work * args.scale.get() as u64;
    let (words, scale) = (format::count(work), args.scale);
    lab.say(format!("rust: a job counts down {words} × {scale} steps"));
    let interval = Duration::from_millis(args.switch_interval.get() as u64);
    let mut figures = None;
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds} …"));
        figures = Some((compute(lab, steps, interval)?, wait(lab, interval)?));
        python.run(lab);
    }
    let (hand_overs, at_once) = figures.expect("there is a round");
    claims::claim(lab, hand_overs, at_once);
    python.claim(lab);
    Ok(())
}

/// Does the CPU work in three ways; returns how often the GIL changed hands, and how many ran at once.
fn compute(lab: &mut Lab, steps: u64, interval: Duration) -> anyhow::Result<[Figure<Count>; 2]> {
    let tally = |counted: &Vec<u64>| Tally::of_checked(counted, |&count| count == steps);
    lab.variant(SEQUENTIAL)
        .bound(Bound::Work { workers: 1 })
        .run_counted(|| Ok(count_sequential(JOBS, steps)), tally)?;
    lab.variant(THREADS)
        .bound(Bound::Work { workers: JOBS })
        .run_counted(|| Ok(count_threaded(JOBS, steps)), tally)?;
    let gil = Gil::new(interval);
    lab.variant(UNDER_GIL)
        // Only the holder works: one worker, however many threads.
        .bound(Bound::Work { workers: 1 })
        .run_counted(|| Ok(count_threaded_under_gil(JOBS, steps, &gil)), tally)?;
    Ok([
        lab.count(UNDER_GIL, "hand_overs", gil.hand_overs() as usize),
        most_at_once(lab, UNDER_GIL, "turn"),
    ])
}

/// Waits with the GIL held and without it; returns how many waits there were at once.
fn wait(lab: &mut Lab, interval: Duration) -> anyhow::Result<[Figure<Count>; 2]> {
    let gil = Gil::new(interval);
    let bound = |at_once| Bound::Waits {
        each: Some(WAIT),
        count: JOBS,
        at_once,
    };
    let io = || io_wait_blocking(WAIT);
    let tally = |_: &()| Tally::all_done(JOBS);
    let variant = lab.variant(HOLDING).other_work().bound(bound(1));
    variant.run_counted(
        || {
            wait_holding_gil(JOBS, &gil, io);
            Ok(())
        },
        tally,
    )?;
    let variant = lab.variant(RELEASING).other_work().bound(bound(JOBS));
    variant.run_counted(
        || {
            wait_releasing_gil(JOBS, &gil, io);
            Ok(())
        },
        tally,
    )?;
    Ok([HOLDING, RELEASING].map(|name| most_at_once(lab, name, "wait")))
}

fn most_at_once(lab: &mut Lab, variant: &str, span: &str) -> Figure<Count> {
    let most = lab.recording(variant).most_open(span);
    lab.count(variant, &format!("most_{span}s_at_once"), most)
}
