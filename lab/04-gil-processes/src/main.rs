//! Shows what two processes cost and buy beside two threads, and with `--crash` a job that dies.

mod args;
mod claims;

use args::Args;
use common::{Bound, Lab, Question, Recorded, Step, Tally, format};
use lab_04_gil_processes::{COUNT, Job, count_in_processes, count_sequential, count_threaded};
use process_pool::TaskError;
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/04_gil_demo_multiprocessing.py (multiprocessing.Process)",
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

const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const PROCESSES: &str = "two processes";
const CRASH: &str = "one job crashes";

const SLOWER_START_UP: &str = "slower_start_up";
const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

fn main() -> ExitCode {
    STEP.run(&[&COUNT], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Two jobs in two processes: how many times as fast as one by one?";
    let ask = Question::faster(PROCESSES, SEQUENTIAL, text).needs_cpus();
    lab.predict(ask, &["not faster", "twice", "more than that"], &[1.3, 3.0]);
    let steps = args.work.get() as u64 * args.scale.get() as u64;
    let (work, scale) = (format::count(args.work.get() as u64), args.scale);
    lab.say(format!("two jobs count down {work} × {scale} steps each"));
    let tally = |done: &Vec<u64>| Tally::of_checked(done, |done| *done == steps);
    let rounds = args.rounds.rounds.get();
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
        let done = in_processes(lab, PROCESSES, [Job::Count(steps); 2])?;
        for error in done.iter().filter_map(|job| job.as_ref().err()) {
            lab.fail(format!("{PROCESSES}: {error}"));
        }
    }
    claims::say_break_even(lab, steps);
    claims::add(lab);
    if args.crash {
        lab.say("once more in processes, and job 1 crashes half-way …");
        let jobs = [Job::CrashHalfWay(steps), Job::Count(steps)];
        let done = in_processes(lab, CRASH, jobs)?;
        for (number, job) in (1..).zip(&done) {
            lab.say(match job {
                Ok(steps) => format!("job {number}: counted {} steps", format::count(*steps)),
                Err(error) => format!("job {number}: {error}"),
            });
        }
        claims::add_crash(lab, &done);
    }
    Ok(())
}

/// Runs the jobs in a pool of their own; the start of its processes is part of the variant.
///
/// Returns what each job did, and notes how long the slower process took to start.
fn in_processes(
    lab: &mut Lab,
    name: &str,
    jobs: [Job; 2],
) -> anyhow::Result<Vec<Result<u64, TaskError>>> {
    let patience = lab.patience();
    let variant = match name {
        CRASH => lab.variant(name).other_work(),
        _ => lab.variant(name).bound(Bound::Work { workers: 2 }),
    };
    let done = variant.run_counted(
        || {
            let pool = COUNT.pool_builder().workers(TWO).timeout(patience);
            let pool = pool.recorded().start()?;
            Ok(count_in_processes(&pool, &jobs))
        },
        |done| Tally::of(done),
    )?;
    let start_up = claims::slower_start_up(lab, name);
    lab.note(name, SLOWER_START_UP, start_up);
    Ok(done.unwrap_or_default())
}
