//! Shows what two processes cost and buy beside two threads, and with `--crash` a job that dies.

mod claims;

use common::{
    Bound, Experiment, Step, Tally, cli,
    process_pool::{Ledger, TaskError},
    report::format,
};
use lab_04_gil_processes::{
    COUNT, Counted, Job, count_in_processes, count_sequential, count_threaded,
};
use serde::Serialize;
use std::{collections::BTreeSet, num::NonZeroUsize, process::ExitCode, time::Duration};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/04_gil_demo_multiprocessing.py"],
    question: "what do processes cost, and what do they buy?",
    why: "In Python with its GIL, processes are what brings CPU work to a second CPU. Rust threads are \
          not held back like that, so processes bring no CPU that threads would not. What they bring is a \
          wall: a job that crashes, or is killed, takes down its own process and nothing else. The \
          price is starting them, and carrying every job and result from one to the other.",
    try_next: &[
        "cargo run -p lab-04-gil-processes -- --crash: one job dies, what becomes of the other?",
        "cargo run -p lab-04-gil-processes -- --scale 1: the script's own work; is it worth a process?",
        "taskset -c 0 cargo run -p lab-04-gil-processes: what is left of the difference on one CPU?",
        "cargo run -p lab-05-thread-pool-downloader: back to threads, as many as you allow",
    ],
};

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

// The names of the variants, as the claims refer to them.
const SEQUENTIAL: &str = "sequential";
const THREADS: &str = "two threads";
const PROCESSES: &str = "two processes";
const CRASH: &str = "one job crashes";

#[derive(clap::Args, Debug, Serialize)]
struct Args {
    /// Steps that each of the two jobs counts down: the script's WORK
    #[arg(long, value_name = "N", default_value = "5_000_000", allow_negative_numbers = true, value_parser = up_to::<1_000_000_000>)]
    work: NonZeroUsize,

    /// How many times WORK a job does, because Rust counts that much faster; 1 is the script's
    #[arg(long, value_name = "N", default_value = "100", allow_negative_numbers = true, value_parser = up_to::<10_000>)]
    scale: NonZeroUsize,

    /// Instead of comparing, let one of the two jobs crash half-way in its process
    #[arg(long)]
    crash: bool,

    #[command(flatten)]
    #[serde(flatten)]
    rounds: cli::RoundsArgs,
}

fn up_to<const LIMIT: usize>(text: &str) -> Result<NonZeroUsize, String> {
    cli::parse_count(text, LIMIT)
}

/// What the pool leaves: the outcomes in the order of the jobs, and what it took.
#[derive(Serialize)]
struct InProcesses {
    jobs: Vec<Result<Counted, TaskError>>,
    startup_s: Vec<f64>,
    slowest_startup_s: f64,
    processes_used: usize,
    pool: Ledger,
}

fn main() -> ExitCode {
    STEP.run(&[&COUNT], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Experiment) -> anyhow::Result<()> {
    let steps = args.work.get() as u64 * args.scale.get() as u64;
    let (work, scale) = (format::count(args.work.get() as u64), args.scale);
    lab.say(format!("two jobs count down {work} × {scale} steps each"));
    if args.crash {
        crash(lab, steps)
    } else {
        compare(lab, steps, args.rounds.rounds.get())
    }
}

fn compare(lab: &mut Experiment, steps: u64, rounds: usize) -> anyhow::Result<()> {
    let tally = |jobs: &Vec<Counted>| Tally::of_checked(jobs, |job| job.steps == steps);
    let mut last = None;
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds} …"));
        lab.variant(SEQUENTIAL)
            .bound(Bound::Work { workers: 1 })
            .run_counted(|| Ok(count_sequential(&[steps; 2])), tally)?;
        lab.variant(THREADS)
            .bound(Bound::Work { workers: 2 })
            .run_counted(|| Ok(count_threaded(&[steps; 2])?), tally)?;
        let done = run_in_processes(lab, PROCESSES, [Job::Count(steps); 2])?;
        for error in done.jobs.iter().filter_map(|job| job.as_ref().err()) {
            lab.fail(format!("{PROCESSES}: {error}"));
        }
        last = Some(done);
    }
    for variant in [SEQUENTIAL, THREADS, PROCESSES] {
        if let Some(wall) = lab.wall(variant) {
            lab.say(format!("{variant}: elapsed {}", format::seconds(wall)));
        }
    }
    if let Some(done) = last {
        say_jobs(lab, &done);
        say_break_even(lab, &done, steps);
    }
    claims::compare(lab);
    Ok(())
}

fn crash(lab: &mut Experiment, steps: u64) -> anyhow::Result<()> {
    lab.say("job 1 crashes half-way …");
    let done = run_in_processes(lab, CRASH, [Job::CrashHalfWay(steps), Job::Count(steps)])?;
    say_jobs(lab, &done);
    claims::crash(lab, &done.jobs[0]);
    Ok(())
}

/// Runs the jobs in a pool of their own, so that starting its processes is part of the picture.
fn run_in_processes(
    lab: &mut Experiment,
    variant: &str,
    jobs: [Job; 2],
) -> anyhow::Result<InProcesses> {
    let as_asked = |(job, done): (&Job, &Result<Counted, TaskError>)| matches!((job, done), (Job::Count(steps), Ok(done)) if done.steps == *steps);
    lab.variant(variant)
        .bound(Bound::Work { workers: 2 })
        .run_counted(
            || {
                // A job that crashed once would crash again.
                let pool = COUNT.pool_builder().workers(TWO).retries(0).start()?;
                let startup = pool.startup();
                let done = count_in_processes(&pool, &jobs);
                let used: BTreeSet<u32> = done.iter().flatten().map(|job| job.process_id).collect();
                Ok(InProcesses {
                    startup_s: startup.iter().map(Duration::as_secs_f64).collect(),
                    slowest_startup_s: startup.iter().max().map_or(0.0, Duration::as_secs_f64),
                    processes_used: used.len(),
                    jobs: done,
                    pool: pool.shutdown(),
                })
            },
            |done| {
                let checked: Vec<bool> = jobs.iter().zip(&done.jobs).map(as_asked).collect();
                Tally {
                    retried: done.pool.retried,
                    ..Tally::of_checked(&checked, |done| *done)
                }
            },
        )
}

fn say_jobs(lab: &Experiment, done: &InProcesses) {
    for (number, job) in (1..).zip(&done.jobs) {
        lab.say(match job {
            Ok(job) => {
                let (steps, id) = (format::count(job.steps), job.process_id);
                format!("job {number}: {steps} steps counted down in process {id}")
            }
            Err(error) => format!("job {number}: {error}"),
        });
    }
    for (number, startup) in (1..).zip(&done.startup_s) {
        lab.say(format!(
            "start-up of worker {number}: {}",
            format::seconds_f64(*startup)
        ));
    }
}

/// Says from which size of job the processes can win what their start costs.
fn say_break_even(lab: &Experiment, done: &InProcesses, steps: u64) {
    let times = lab.job_times(SEQUENTIAL);
    let job_s = times.iter().sum::<Duration>().as_secs_f64() / times.len().max(1) as f64;
    if job_s > 0.0 {
        let steps_meanwhile = done.slowest_startup_s / job_s * steps as f64;
        lab.say(format!(
            "in the time of the slower start-up a job counts {} steps: two jobs that",
            format::count(steps_meanwhile.round() as u64)
        ));
        lab.say("are shorter than that are done sooner one after another, even with two CPUs");
    }
}
