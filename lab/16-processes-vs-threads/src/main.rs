//! Shows jobs of CPU work and of I/O on threads and in processes, where processes begin to pay,
//! and what an abort takes with it.

mod args;
mod claims;
mod ends;
mod rule;
mod square;
mod sweep;

use args::Args;
use common::{Lab, Step};
use lab_16_processes_vs_threads::{JOB, isolation::THREADED};
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
    STEP.run(&[&JOB, &THREADED], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    args.check()?;
    let square = square::measure(args, lab)?;
    square.tell(args, lab);
    let sweep = sweep::measure(args, lab)?;
    sweep.tell(args, lab);
    ends::abort_in_a_process(args, lab)?;
    ends::abort_in_a_thread(args, lab)?;
    claims::of_the_square(args, lab, &square);
    claims::of_the_sweep(args, lab, &sweep);
    claims::of_the_ends(lab);
    Ok(())
}
