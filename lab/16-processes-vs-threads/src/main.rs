//! Shows jobs on threads and in processes, from which size on each pays, and what an abort ends.

mod abort;
mod args;
mod sweep;
mod two_by_two;

use args::Args;
use common::{Lab, Question, Step};
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
    remember: "Waits overlap on threads and in processes alike. A process costs more to start, \
              and an abort ends that process only.",
    predict: (
        "jobs much shorter: are processes still worth their start?",
        "cargo run -p lab-16-processes-vs-threads -- --work 100_000",
    ),
    sources: common::sources!["lib.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[&JOB, &PROGRAM], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "CPU work: how many times as fast are processes as threads?";
    let ask = Question::faster("CPU processes", "CPU threads", text);
    lab.predict(ask, &["slower", "the same", "faster"], &[0.9, 1.1]);
    two_by_two::run(args, lab)?;
    sweep::run(args, lab)?;
    abort::run(args, lab)
}
