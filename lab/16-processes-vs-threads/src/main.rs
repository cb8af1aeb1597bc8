//! Shows jobs of CPU work and of I/O on threads and in processes, where processes begin to pay,
//! and what an abort takes with it.

mod ends;
mod flags;
mod square;
mod sweep;

use common::{Lab, Step};
use flags::Args;
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
    square::run(args, lab)?;
    sweep::run(args, lab)?;
    ends::run(args, lab)
}

/// A tenth: less than this is not called a difference.
const MARGIN: f64 = 1.1;

/// One or two rounds that agree may do so by chance.
const LEAST_ROUNDS: usize = 3;

/// What the rounds say of two ways, the first and the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The first was faster by more than [`MARGIN`] in every round.
    FirstFaster,
    /// The same of the second.
    SecondFaster,
    /// They were within [`MARGIN`] of each other in every round.
    NoDifference,
    /// Anything else, and fewer than [`LEAST_ROUNDS`] rounds.
    TooNoisy,
}

impl Verdict {
    /// Compares the times of two ways that took turns, one of each per round.
    ///
    /// A round's two times stand side by side, so what the machine does to both cancels out.
    fn of(first_s: &[f64], second_s: &[f64]) -> Self {
        let ratios = || {
            first_s
                .iter()
                .zip(second_s)
                .map(|(first, second)| second / first)
        };
        if ratios().count() < LEAST_ROUNDS {
            Self::TooNoisy
        } else if ratios().all(|ratio| ratio > MARGIN) {
            Self::FirstFaster
        } else if ratios().all(|ratio| ratio < 1.0 / MARGIN) {
            Self::SecondFaster
        } else if ratios().all(|ratio| (1.0 / MARGIN..=MARGIN).contains(&ratio)) {
            Self::NoDifference
        } else {
            Self::TooNoisy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};

    #[test]
    fn a_way_is_faster_only_by_more_than_the_margin_and_in_every_round() {
        for (times, verdict) in [
            (&[1.2, 1.3, 1.5][..], FirstFaster),
            (&[0.5, 0.9, 0.8], SecondFaster),
            (&[1.05, 0.95, 1.0], NoDifference),
            (&[1.05, 0.95, 1.2], TooNoisy),
            (&[9.0, 9.0], TooNoisy),
            (&[], TooNoisy),
        ] {
            assert_eq!(Verdict::of(&[1.0; 3], times), verdict, "{times:?}");
        }
    }

    #[test]
    fn a_machine_that_changes_speed_between_rounds_changes_nothing() {
        let verdict = Verdict::of(&[1.0, 2.0, 1.0], &[1.5, 3.1, 1.4]);
        assert_eq!(verdict, FirstFaster, "both times of a round double");
    }
}
