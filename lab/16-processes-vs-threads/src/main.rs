//! Shows jobs on threads and in processes, from which size on each pays, and what an abort ends.

mod claims;

use common::{
    Lab, Question, Step,
    cli::{RoundsArgs, Seconds, seconds, up_to},
};
use lab_16_processes_vs_threads::{JOB, PROGRAM};
use serde::Serialize;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/06_processes_vs_threads.py (both pools of concurrent.futures)",
    question: "which for CPU work, which for I/O?",
    why: "Waiting needs no CPU, so waits overlap on threads and in processes alike. CPU work needs \
          CPUs, and Rust's threads use as many as processes do; in Python the GIL holds threads to \
          one, which is why its answer is another. A process costs more to start, and every job \
          and result is carried across: a job must be long enough to pay for that. What threads \
          cannot give is a wall: they share one process, and an abort ends the process.",
    remember: "For waits take threads: they cost less. For CPU work, threads in Rust \
              and processes in Python (its GIL). Only a process contains an abort.",
    predict: (
        "jobs much shorter: are processes still worth their start?",
        "cargo run -p lab-16-processes-vs-threads -- --work 100_000",
    ),
    sources: common::sources!["lib.rs"],
};

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Threads in the one pool, processes in the other, 1 to 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>)]
    workers: NonZeroUsize,

    /// Jobs to do, 1 to 100
    #[arg(long, value_name = "N", default_value = "8", value_parser = up_to::<100>)]
    jobs: NonZeroUsize,

    /// Steps of CPU work in a job, 1 to 200,000,000; the sweep starts at a 1024th of that
    #[arg(long, value_name = "N", default_value = "20_000_000",
          value_parser = up_to::<200_000_000>)]
    work: NonZeroUsize,

    /// How long a job of I/O waits, up to 10 s
    #[arg(long, value_name = "SECONDS", default_value = "0.05", value_parser = seconds(0.000_001..=10.0))]
    #[serde(rename = "wait_s")]
    wait: Seconds,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: RoundsArgs,
}

fn main() -> ExitCode {
    STEP.run(&[&JOB, &PROGRAM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "CPU work: how many times as fast are processes as threads?";
    let ask = Question::faster("CPU processes", "CPU threads", text).needs_cpus();
    lab.predict(ask, &["slower", "the same", "faster"], &[0.9, 1.1]);
    lab.legend(
        "CPU: jobs that compute. I/O: jobs that wait. a running pool: processes started before.",
    );
    claims::two_by_two(args, lab)?;
    claims::sweep(args, lab)?;
    claims::abort(args, lab)
}
