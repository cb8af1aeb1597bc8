//! The 2 × 2: CPU work and I/O, on threads and in processes, taking turns.

use crate::{LEAST_ROUNDS, MARGIN, Verdict, flags::Args};
use common::{
    Bound, Lab, Measure, TableReport, Tally,
    claim::{Check, Claim, count, done, none_failed, peak_memory, seconds, times, wall},
    format,
};
use lab_16_processes_vs_threads::{
    Done, JOB, Job, run_in_processes, run_on_threads, run_one_by_one,
};
use process_pool::{Ledger, TaskError};
use serde::Serialize;
use std::num::NonZeroUsize;

const ONE_BY_ONE: &str = "CPU one by one";
const CPU_THREADS: &str = "CPU threads";
const CPU_PROCESSES: &str = "CPU processes";
const IO_THREADS: &str = "I/O threads";
const IO_PROCESSES: &str = "I/O processes";

/// What a pool of processes leaves.
#[derive(Serialize)]
pub(crate) struct InProcesses {
    pub(crate) jobs: Vec<Result<Done, TaskError>>,
    pub(crate) pool: Ledger,
}

/// Runs every way once per round, and claims what the rounds show.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
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
    let rounds = args.rounds.rounds.get();
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds}: every way once …"));
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
    print_table(args, lab);
    claim(args, lab);
    Ok(())
}

fn print_table(args: &Args, lab: &Lab) {
    let rounds = args.rounds.rounds;
    let steps = format::plain(args.steps() as f64 / 1e6);
    let wait = format::seconds(args.wait.0);
    let rows = [
        row(
            lab,
            format!("CPU, {steps} M steps"),
            CPU_THREADS,
            CPU_PROCESSES,
        ),
        row(lab, format!("I/O, {wait}"), IO_THREADS, IO_PROCESSES),
    ];
    lab.table(TableReport {
        title: "Threads and processes, on CPU work and on I/O".into(),
        headings: ["each job", "threads", "processes", "ratio", "verdict"].map(String::from).into(),
        rows: rows.into(),
        text_columns: vec![0, 4],
        notes: vec![format!(
            "{} jobs, {} workers, pools started and ended each time; the middle of {rounds} rounds; the \
             ratio is processes over threads, by round; a difference is a tenth or more in all of them",
            args.jobs, args.workers
        )],
    });
}

fn row(lab: &Lab, job: String, threads: &str, processes: &str) -> Vec<String> {
    let wall = |variant| lab.wall(variant).map_or("–".into(), format::seconds);
    let (first, second) = (lab.walls(threads), lab.walls(processes));
    let ratios = || {
        first
            .iter()
            .zip(&second)
            .map(|(first, second)| second / first)
    };
    let (least, most) = (
        ratios().fold(f64::INFINITY, f64::min),
        ratios().fold(0.0, f64::max),
    );
    let verdict = match Verdict::of(&first, &second) {
        Verdict::FirstFaster => "threads faster",
        Verdict::SecondFaster => "processes faster",
        Verdict::NoDifference => "no detectable difference",
        Verdict::TooNoisy if first.len() < LEAST_ROUNDS => "too few rounds",
        Verdict::TooNoisy => "too noisy",
    };
    let ratio = format!("{least:.2}–{most:.2}");
    vec![job, wall(threads), wall(processes), ratio, verdict.into()]
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
        || Ok(run_on_threads(args.workers, jobs)),
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
    let pool = JOB.pool_builder().workers(workers).retries(retries);
    let pool = pool.recorded().start()?;
    Ok(InProcesses {
        jobs: run_in_processes(&pool, jobs),
        pool: pool.shutdown(),
    })
}

fn claim(args: &Args, lab: &mut Lab) {
    let right = Claim::that(
        "all_right",
        "in every way every job came out as it does one by one",
    );
    let ways = [
        ONE_BY_ONE,
        CPU_THREADS,
        CPU_PROCESSES,
        IO_THREADS,
        IO_PROCESSES,
    ];
    lab.claim(ways.into_iter().fold(right, |claim, way| {
        claim.check(done(way).equals(count(args.jobs.get())))
    }));
    compare(lab, "cpu_verdict", "CPU work", CPU_THREADS, CPU_PROCESSES);
    compare(lab, "io_verdict", "I/O", IO_THREADS, IO_PROCESSES);
    claim_overlap(args, lab);
    lab.claim(
        Claim::that(
            "processes_take_memory",
            "I/O: memory resident, added up, was half as much again in processes, or more",
        )
        .check(peak_memory(IO_PROCESSES).above(peak_memory(IO_THREADS) * 1.5)),
    );
}

fn claim_overlap(args: &Args, lab: &mut Lab) {
    let row = seconds(0.75 * args.waits_in_a_row_s());
    let waits = Claim::that(
        "waits_overlap",
        "I/O: the waits overlapped on either, below 3/4 of them in a row",
    )
    .check(wall(IO_THREADS).below(row.clone()))
    .check(wall(IO_PROCESSES).below(row))
    .check(none_failed(IO_THREADS))
    .check(none_failed(IO_PROCESSES));
    let faster = |way, words| {
        let ratio = wall(way) / wall(ONE_BY_ONE);
        ratio.below(times(1.0 / MARGIN)).in_words(words)
    };
    let works = Claim::that(
        "work_overlaps",
        "CPU work: either was faster than one by one in every round",
    )
    .check(faster(
        CPU_THREADS,
        "threads took {left} times as long as one by one",
    ))
    .check(faster(
        CPU_PROCESSES,
        "processes took {left} times as long as one by one",
    ));
    let reason = "one worker, or one job, has nothing to overlap with";
    if args.workers.get() == 1 || args.jobs.get() == 1 {
        lab.claim(waits.otherwise(reason));
        lab.claim(works.otherwise(reason));
    } else {
        lab.claim(waits);
        lab.claim(works.needs_cpus());
    }
}

/// Claims the verdict that was reached; where none was, that there is no difference.
fn compare(lab: &mut Lab, name: &'static str, kind: &str, threads: &str, processes: &str) {
    let ratio = || wall(processes) / wall(threads);
    let in_words = |check: Check| check.in_words("processes took {left} times as long as threads");
    let verdict = Verdict::of(&lab.walls(threads), &lab.walls(processes));
    let that = |text: &str| Claim::that(name, format!("{kind}: {text}"));
    let claim = match verdict {
        Verdict::FirstFaster => that("threads were faster than processes in every round")
            .check(in_words(ratio().above(times(MARGIN)))),
        Verdict::SecondFaster => that("processes were faster than threads in every round")
            .check(in_words(ratio().below(times(1.0 / MARGIN)))),
        Verdict::NoDifference | Verdict::TooNoisy => {
            that("no detectable difference between threads and processes")
                .check(in_words(ratio().at_most(times(MARGIN))))
                .check(in_words(ratio().at_least(times(1.0 / MARGIN))))
        }
    };
    let rounds = lab.walls(threads).len();
    if rounds < LEAST_ROUNDS {
        let rounds = lab.count(None, &format!("rounds_for_the_{name}"), rounds);
        lab.claim(claim.check(rounds.at_least(count(LEAST_ROUNDS))).headline());
    } else {
        lab.claim(claim.headline());
    }
}
