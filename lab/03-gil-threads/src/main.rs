//! Shows what two threads do for CPU work: freely, under a GIL, and in the reader's own Python.

mod beside;

use beside::Beside;
use common::{
    Bound, Experiment, Step, Tally,
    cli::{RoundsArgs, parse_count},
    experiment::claim::{Check, Claim, number, of},
    report::format,
    workload::io_wait_blocking,
};
use lab_03_gil_threads::{
    Waited, count_sequential, count_threaded, count_threaded_under_gil, gil::Gil, wait_holding_gil,
    wait_releasing_gil,
};
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
/// Why one at a time may take less than one after another.
const OTHER_SPEED: &str = "the machine gave one of the two more of a CPU, or a faster one";
const WAIT: Duration = Duration::from_millis(100);

// The names of the variants, as the claims refer to them.
const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const UNDER_GIL: &str = "two threads, GIL";
const HOLDING: &str = "waits, GIL held";
const RELEASING: &str = "waits, GIL let go";

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

fn up_to<const LIMIT: usize>(text: &str) -> Result<NonZeroUsize, String> {
    parse_count(text, LIMIT)
}

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &GilArgs, lab: &mut Experiment) -> anyhow::Result<()> {
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
    claim(lab);
    python.conclude(lab);
    Ok(())
}

fn count(lab: &mut Experiment, steps: u64, interval: Duration) -> anyhow::Result<()> {
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

fn wait(lab: &mut Experiment, interval: Duration) -> anyhow::Result<()> {
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

fn say_elapsed(lab: &Experiment, variant: &str) {
    if let Some(wall) = lab.wall(variant) {
        lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
    }
}

/// Two threads on two CPUs need half of one thread's time, two that take turns all of it; three
/// quarters lies between.
fn helped(variant: &str, than: &str) -> Check {
    of(variant, "walls_s").below(of(than, "walls_s").times(0.75))
}

/// The opposite of [`helped`].
fn helped_little(variant: &str, than: &str) -> Check {
    of(variant, "walls_s").at_least(of(than, "walls_s").times(0.75))
}

fn claim(lab: &mut Experiment) {
    let freely = "two threads did both jobs in less than three quarters of one thread's time";
    lab.claim(
        Claim::that(freely)
            .check(helped(THREADS, SEQUENTIAL))
            .needs_cpus(),
    );
    let in_turns = "under one GIL the same two threads took at least three quarters of one's time";
    lab.claim(
        Claim::that(in_turns)
            .check(helped_little(UNDER_GIL, SEQUENTIAL))
            .otherwise(OTHER_SPEED),
    );
    let one_cpu = "under the GIL both threads together kept one CPU busy, a tenth more at most";
    lab.claim(
        Claim::that(one_cpu)
            .check(of(UNDER_GIL, "cpu_user_s").at_most(of(UNDER_GIL, "wall_s").times(1.1))),
    );
    let turns = "they took turns: the GIL changed hands while both jobs ran";
    lab.claim(
        Claim::that(turns)
            .check(of(UNDER_GIL, "results.hand_overs").at_least(number(2)))
            .otherwise("one job ended before the other had its first turn"),
    );
    let without =
        "without the GIL they took less than three quarters of the time they took under it";
    lab.claim(
        Claim::that(without)
            .check(helped(THREADS, UNDER_GIL))
            .needs_cpus(),
    );
    let waits = "let go around a wait, the GIL let both threads wait at once; held, one at a time";
    lab.claim(
        Claim::that(waits)
            .check(of(RELEASING, "results.most_at_once").equals(number(2)))
            .check(of(HOLDING, "results.most_at_once").equals(number(1)))
            .otherwise("one wait was over before the other began"),
    );
}
