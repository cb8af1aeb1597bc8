//! CPU work and I/O, on threads and in processes, taking turns.

use crate::args::{Args, compute_jobs};
use common::{
    Bound, Lab, MARGIN, Measure, Recorded, Tally,
    claim::{Claim, count, done, peak_memory, seconds, times, wall},
};
use lab_16_processes_vs_threads::{JOB, Job, run_in_processes, run_on_threads, run_one_by_one};
use process_pool::TaskError;
use std::num::NonZeroUsize;

const ONE_BY_ONE: &str = "CPU one by one";
const CPU: [&str; 2] = ["CPU threads", "CPU processes"];
const IO: [&str; 2] = ["I/O threads", "I/O processes"];

/// Runs every way once per round, and claims what the rounds show.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let cpu = compute_jobs(args.jobs.get(), args.work.get(), lab.seed());
    let duration = args.wait.0;
    let io = vec![Job::Wait { duration }; args.jobs.get()];
    let rounds = args.rounds.rounds.get();
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds}: every way once …"));
        let alone = lab.variant(ONE_BY_ONE).bound(Bound::Work { workers: 1 });
        let results = alone.run_counted(
            || Ok(run_one_by_one(&cpu)),
            |done| Tally::all_done(done.len()),
        )?;
        both(args.workers, lab, CPU, &cpu, &results)?;
        both(args.workers, lab, IO, &io, &vec![0; io.len()])?;
    }
    for (name, about, ways) in [("cpu_verdict", "CPU work", CPU), ("io_verdict", "I/O", IO)] {
        let claim = lab.compare(name, about, ways);
        lab.claim(claim.headline());
    }
    claim(args, lab);
    Ok(())
}

/// Does the jobs on threads and in processes; starting and ending either is part of it.
fn both(
    workers: NonZeroUsize,
    lab: &mut Lab,
    [threads, processes]: [&str; 2],
    jobs: &[Job],
    results: &[u64],
) -> anyhow::Result<()> {
    let tally = |right: Vec<bool>| Tally::of_checked(&right, |right| *right);
    variant(lab, threads, workers, jobs).run_counted(
        || Ok(run_on_threads(workers, jobs)),
        |done| tally(done.iter().zip(results).map(|(a, b)| a == b).collect()),
    )?;
    let done = variant(lab, processes, workers, jobs).run_counted(
        || in_a_new_pool(workers, jobs),
        |done| {
            let pairs = done.iter().zip(results);
            tally(pairs.map(|(a, b)| a.as_ref() == Ok(b)).collect())
        },
    )?;
    for error in done.iter().filter_map(|job| job.as_ref().err()) {
        lab.fail(format!("{processes}: {error}"));
    }
    Ok(())
}

fn variant<'a>(lab: &'a mut Lab, name: &str, workers: NonZeroUsize, jobs: &[Job]) -> Measure<'a> {
    let workers = workers.get();
    match jobs[0] {
        Job::Wait { duration } => lab.variant(name).other_work().bound(Bound::Waits {
            each: Some(duration),
            count: jobs.len(),
            at_once: workers,
        }),
        _ => lab.variant(name).bound(Bound::Work { workers }),
    }
}

/// Starts a pool, does the jobs, ends the pool, as a `with` block in the script does.
pub(crate) fn in_a_new_pool(
    workers: NonZeroUsize,
    jobs: &[Job],
) -> anyhow::Result<Vec<Result<u64, TaskError>>> {
    let pool = JOB.pool_builder().workers(workers).recorded().start()?;
    Ok(run_in_processes(&pool, jobs))
}

fn claim(args: &Args, lab: &mut Lab) {
    let mut right = Claim::that(
        "all_right",
        "every job had the result that it has one by one",
    );
    let text = "I/O: the waits overlapped on both: less than 3/4 of their time in a row";
    let mut waits = Claim::that("waits_overlap", text);
    let text = "CPU work: both were faster than one by one in every round";
    let mut works = Claim::that("work_overlaps", text).needs_cpus();
    let all = args.jobs.get();
    let row = seconds(0.75 * args.wait.0.as_secs_f64() * all as f64);
    for way in [CPU, IO].concat() {
        right = right.check(done(way).equals(count(all)));
    }
    for (cpu, io) in CPU.into_iter().zip(IO) {
        waits = waits.check(wall(io).below(row.clone()));
        works = works.check((wall(cpu) / wall(ONE_BY_ONE)).below(times(1.0 / MARGIN)));
    }
    lab.claim(right);
    for claim in [waits, works] {
        lab.claim(match args.workers.get().min(all) {
            1 => claim.otherwise("one worker, or one job, has nothing to overlap with"),
            _ => claim,
        });
    }
    let text = "I/O: processes needed at least half as much memory again as threads";
    let memory = peak_memory(IO[1]).above(peak_memory(IO[0]) * 1.5);
    lab.claim(Claim::that("processes_take_memory", text).check(memory));
}
