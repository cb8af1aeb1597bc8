//! The 2 × 2: CPU work and I/O, on threads and in processes, taking turns.

use crate::{args::Args, rule};
use common::{Bound, Lab, Measure, Tally, format};
use lab_16_processes_vs_threads::{
    Done, JOB, Job, run_in_processes, run_on_threads, run_one_by_one,
    verdict::{Comparison, Verdict, compare_by_round},
};
use process_pool::{Ledger, TaskError};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

pub(crate) const ONE_BY_ONE: &str = "CPU one by one";
pub(crate) const CPU_THREADS: &str = "CPU threads";
pub(crate) const CPU_PROCESSES: &str = "CPU processes";
pub(crate) const IO_THREADS: &str = "I/O threads";
pub(crate) const IO_PROCESSES: &str = "I/O processes";

/// How threads and processes compare, on either kind of job.
pub(crate) struct Square {
    pub(crate) cpu: Comparison,
    pub(crate) io: Comparison,
    /// Either, with CPU work, beside one job after another.
    pub(crate) threads: Comparison,
    pub(crate) processes: Comparison,
}

/// The names of the pairs that are compared, in the document.
pub(crate) const CPU_RATIO: &str = "cpu_processes_over_threads";
pub(crate) const IO_RATIO: &str = "io_processes_over_threads";
pub(crate) const THREADS_RATIO: &str = "cpu_threads_over_one_by_one";
pub(crate) const PROCESSES_RATIO: &str = "cpu_processes_over_one_by_one";

/// What a pool of processes leaves.
#[derive(Serialize)]
pub(crate) struct InProcesses {
    pub(crate) jobs: Vec<Result<Done, TaskError>>,
    pub(crate) startup_s: Vec<f64>,
    pub(crate) pool: Ledger,
}

/// Runs every way once per round.
pub(crate) fn measure(args: &Args, lab: &mut Lab) -> anyhow::Result<Square> {
    let (cpu, io) = (args.cpu_jobs(lab.seed()), args.io_jobs());
    let work = Bound::Work {
        workers: args.workers.get(),
    };
    let waits = Bound::Waits {
        each: Some(args.wait.0),
        count: io.len(),
        at_once: args.workers.get(),
    };
    let expected: Vec<u64> = run_one_by_one(&cpu).iter().map(|done| done.value).collect();
    let numbers: Vec<u64> = (1..=io.len() as u64).collect();
    for round in 1..=args.rounds.get() {
        lab.say(format!(
            "round {round} of {}: every way once …",
            args.rounds
        ));
        lab.variant(ONE_BY_ONE)
            .bound(Bound::Work { workers: 1 })
            .run_counted(
                || Ok(run_one_by_one(&cpu)),
                |done| tally(&expected, done.iter().map(Some)),
            )?;
        on_threads(args, lab, CPU_THREADS, &work, &cpu, &expected)?;
        in_processes(args, lab, CPU_PROCESSES, &work, &cpu, &expected)?;
        on_threads(args, lab, IO_THREADS, &waits, &io, &numbers)?;
        in_processes(args, lab, IO_PROCESSES, &waits, &io, &numbers)?;
    }
    let compare = |first, second| compare_by_round(&lab.walls(first), &lab.walls(second));
    let square = Square {
        cpu: compare(CPU_THREADS, CPU_PROCESSES),
        io: compare(IO_THREADS, IO_PROCESSES),
        threads: compare(ONE_BY_ONE, CPU_THREADS),
        processes: compare(ONE_BY_ONE, CPU_PROCESSES),
    };
    lab.param(CPU_RATIO, &square.cpu);
    lab.param(IO_RATIO, &square.io);
    lab.param(THREADS_RATIO, &square.threads);
    lab.param(PROCESSES_RATIO, &square.processes);
    Ok(square)
}

fn tally<'a>(expected: &[u64], done: impl Iterator<Item = Option<&'a Done>>) -> Tally {
    let right: Vec<bool> = expected
        .iter()
        .zip(done)
        .map(|(expected, done)| done.is_some_and(|done| done.value == *expected))
        .collect();
    Tally::of_checked(&right, |right| *right)
}

fn on_threads(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    bound: &Bound,
    jobs: &[Job],
    expected: &[u64],
) -> anyhow::Result<()> {
    variant(lab, name, bound).run_counted(
        || Ok(run_on_threads(args.workers, jobs)?),
        |done| tally(expected, done.iter().map(Some)),
    )?;
    Ok(())
}

/// The start of the pool and its end are part of it, as they are of a `with` block in the script.
fn in_processes(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    bound: &Bound,
    jobs: &[Job],
    expected: &[u64],
) -> anyhow::Result<()> {
    let done = variant(lab, name, bound).run_counted(
        || pool_of_processes(args.workers, jobs, 1),
        |done| Tally {
            retried: done.pool.retried,
            ..tally(expected, done.jobs.iter().map(|job| job.as_ref().ok()))
        },
    )?;
    for error in done.jobs.iter().filter_map(|job| job.as_ref().err()) {
        lab.fail(format!("{name}: {error}"));
    }
    Ok(())
}

fn variant<'a>(lab: &'a mut Lab, name: &str, bound: &Bound) -> Measure<'a> {
    let variant = lab.variant(name).bound(bound.clone());
    if name.starts_with("CPU") {
        variant
    } else {
        variant.other_work()
    }
}

/// Starts a pool, does the jobs, ends the pool.
pub(crate) fn pool_of_processes(
    workers: NonZeroUsize,
    jobs: &[Job],
    retries: u32,
) -> anyhow::Result<InProcesses> {
    let pool = JOB
        .pool_builder()
        .workers(workers)
        .retries(retries)
        .start()?;
    let startup = pool.startup();
    Ok(InProcesses {
        jobs: run_in_processes(&pool, jobs),
        startup_s: startup.iter().map(Duration::as_secs_f64).collect(),
        pool: pool.shutdown(),
    })
}

impl Square {
    /// Prints the table, how a verdict comes about, and what to do where there is none.
    pub(crate) fn tell(&self, args: &Args, lab: &Lab) {
        let steps = format::plain(args.steps() as f64 / 1e6);
        let wait = format::seconds(args.wait.0);
        lab.say(format!(
            "{} jobs, {} workers, pools started and ended each time; middle of {}:",
            args.jobs, args.workers, args.rounds
        ));
        lab.say(format!(
            "{:<18} {:>9} {:>10}  {:>10}  verdict",
            "each job", "threads", "processes", "ratio"
        ));
        let cpu = format!("CPU, {steps} M steps");
        tell_row(lab, &cpu, [CPU_THREADS, CPU_PROCESSES], &self.cpu);
        let io = format!("I/O, {wait}");
        tell_row(lab, &io, [IO_THREADS, IO_PROCESSES], &self.io);
        let rounds = args.rounds.get();
        rule::tell(lab, rounds, &self.cpu);
        for (kind, compared, flag) in [("CPU", &self.cpu, "--work"), ("I/O", &self.io, "--wait")] {
            if compared.verdict == Verdict::TooNoisy && compared.ratios.is_some() {
                let why = rule::why_too_noisy(compared, rounds, ["threads", "processes"], flag);
                rule::say_wrapped(lab, &format!("{kind}: {why}"), 2);
            }
        }
    }
}

fn tell_row(lab: &Lab, job: &str, [threads, processes]: [&str; 2], compared: &Comparison) {
    let wall = |variant| lab.wall(variant).map_or("–".into(), format::seconds);
    lab.say(format!(
        "{job:<18} {:>9} {:>10}  {:>10}  {}",
        wall(threads),
        wall(processes),
        rule::interval(compared),
        compared.verdict.in_words("threads", "processes")
    ));
}
