//! Shows jobs on threads and in processes, from which size on each pays, and what an abort ends.

mod abort;
mod args;
mod sweep;
mod two_by_two;

use args::Args;
use common::{Lab, Step};
use lab_16_processes_vs_threads::{JOB, PROGRAM};
use std::process::ExitCode;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/06_processes_vs_threads.py"],
    question: "threads or processes: which for CPU work, which for I/O?",
    why: "Waiting needs no CPU, so waits overlap on threads and in processes alike. CPU work needs \
          CPUs, and Rust's threads use as many as processes do; in Python the GIL holds threads to \
          one, which is why its answer is another. A process costs more to start, and every job \
          and result is carried across: a job must be long enough to pay for that. What threads \
          cannot give is a wall: they share one process, and an abort ends the process.",
    try_next: &[
        "cargo run -p lab-16-processes-vs-threads -- --work 100_000: jobs too short for processes?",
        "cargo run -p lab-16-processes-vs-threads -- --workers 1: what is left is the cost",
        "taskset -c 0 cargo run -p lab-16-processes-vs-threads: one CPU, which verdicts change?",
        "cargo run -p lab-03-gil-threads: the same CPU work under a lock like Python's",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[&JOB, &PROGRAM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    two_by_two::run(args, lab)?;
    sweep::run(args, lab)?;
    abort::run(args, lab)
}
