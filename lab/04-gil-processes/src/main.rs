//! Shows what two processes cost and buy beside two threads, and with `--crash` a job that dies.

mod claims;
mod flags;
mod pooled;

use common::{
    Bound, Lab, Step, Tally,
    claim::{Count, Figure, Seconds},
    format,
};
use flags::Args;
use lab_04_gil_processes::{COUNT, Counted, Job, count_sequential, count_threaded};
use pooled::InProcesses;
use std::process::{self, ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/04_gil_demo_multiprocessing.py"],
    question: "what do processes cost and buy?",
    why: "In Python with its GIL, processes are what brings CPU work to a second CPU. Rust threads are \
          not held back like that, so processes bring no CPU that threads would not. What they bring is a \
          wall: a job that crashes, or is killed, takes down its own process and nothing else. The \
          price is starting them, and carrying every job and result from one to the other.",
    remember: "Processes use several CPUs even where a GIL holds threads to one, and a crash ends \
              one process only. The price is starting them.",
    predict: (
        "one job crashes half-way: what happens to the other?",
        "cargo run -p lab-04-gil-processes -- --crash",
    ),
    sources: common::sources!["lib.rs"],
};

// The names of the variants, as the claims refer to them.
const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const PROCESSES: &str = "two processes";
const CRASH: &str = "one job crashes";

fn main() -> ExitCode {
    STEP.run(&[&COUNT], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let steps = args.work.get() as u64 * args.scale.get() as u64;
    let (work, scale) = (format::count(args.work.get() as u64), args.scale);
    lab.say(format!("two jobs count down {work} × {scale} steps each"));
    compare(lab, steps, args.rounds.rounds.get())?;
    if args.crash {
        lab.say("once more in processes, and job 1 crashes half-way …");
        let jobs = [Job::CrashHalfWay(steps), Job::Count(steps)];
        // Tried again, it would only crash again.
        let done = pooled::run(lab.variant(CRASH).other_work(), jobs, 0)?;
        pooled::say_jobs(lab, &done);
        claims::claim_crash(lab, &done);
    }
    Ok(())
}

fn compare(lab: &mut Lab, steps: u64, rounds: usize) -> anyhow::Result<()> {
    let tally = |jobs: &Vec<Counted>| Tally::of_checked(jobs, |job| job.steps == steps);
    let mut last = None;
    let mut figures = None;
    for round in 1..=rounds {
        lab.say(format!(
            "round {round} of {rounds}: sequential, threads, processes …"
        ));
        lab.variant(SEQUENTIAL)
            .bound(Bound::Work { workers: 1 })
            .run_counted(|| Ok(count_sequential(&[steps; 2])), tally)?;
        lab.variant(THREADS)
            .bound(Bound::Work { workers: 2 })
            .run_counted(|| Ok(count_threaded(&[steps; 2])), tally)?;
        let done = pooled::run(lab.variant(PROCESSES), [Job::Count(steps); 2], 1)?;
        for error in done.jobs.iter().filter_map(|job| job.as_ref().err()) {
            lab.fail(format!("{PROCESSES}: {error}"));
        }
        figures = Some(note(lab, &done));
        last = Some(done);
    }
    for variant in [SEQUENTIAL, THREADS, PROCESSES] {
        if let Some(wall) = lab.wall(variant) {
            lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
        }
    }
    let (done, figures) = last.zip(figures).expect("there is a round");
    pooled::say_jobs(lab, &done);
    pooled::say_break_even(lab, &done, steps);
    claims::claim(lab, figures);
    Ok(())
}

/// What claims are made of beside the times.
struct Figures {
    slower_start_up: Figure<Seconds>,
    processes_with_a_job: Figure<Count>,
    jobs_in_this_process: Figure<Count>,
}

fn note(lab: &mut Lab, done: &InProcesses) -> Figures {
    let ids = done.jobs.iter().flatten().map(|job| job.process_id);
    let mut ids: Vec<u32> = ids.collect();
    let here = ids.iter().filter(|id| **id == process::id()).count();
    ids.sort_unstable();
    ids.dedup();
    Figures {
        slower_start_up: lab.duration(PROCESSES, "slower_start_up", done.slower_startup()),
        processes_with_a_job: lab.count(PROCESSES, "processes_with_a_job", ids.len()),
        jobs_in_this_process: lab.count(PROCESSES, "jobs_done_in_this_process", here),
    }
}
