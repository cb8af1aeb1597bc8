//! Threads and processes: CPU work and I/O, the size of a job, and a job that aborts.

use crate::Args;
use common::{
    Bound, Comparison, Lab, MARGIN, Measure, Recorded, Sweep, Tally,
    claim::{Claim, cancelled, done, failed, peak_memory, wall},
    format,
    timing::timed,
};
use lab_16_processes_vs_threads::{
    JOB, Job, PROGRAM, run_in_processes, run_on_threads, run_one_by_one,
};
use process_pool::TaskError;
use std::{num::NonZeroUsize, time::Duration};

/// Jobs of CPU work, each with a seed of its own.
fn compute_jobs(count: usize, steps: u64, seed: u64) -> Vec<Job> {
    let seeds = (0..count as u64).map(|number| seed.wrapping_add(number));
    seeds.map(|seed| Job::Compute { seed, steps }).collect()
}

const CPU: [&str; 3] = ["CPU one by one", "CPU threads", "CPU processes"];
const IO: [&str; 3] = ["I/O one by one", "I/O threads", "I/O processes"];

/// Runs every way once per round, and claims what the rounds show.
pub(crate) fn two_by_two(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let cpu = compute_jobs(args.jobs.get(), args.work.get() as u64, lab.seed());
    let duration = args.wait.0;
    let io = vec![Job::Wait { duration }; args.jobs.get()];
    let rounds = args.rounds.rounds.get();
    for round in 1..=rounds {
        lab.say(format!("round {round} of {rounds}: every way once …"));
        every_way(args.workers, lab, CPU, &cpu)?;
        every_way(args.workers, lab, IO, &io)?;
    }
    let work = lab.compare("cpu_verdict", "CPU work", [CPU[1], CPU[2]]);
    let waits = lab.compare("io_verdict", "I/O", [IO[1], IO[2]]);
    for claim in [work.headline(), waits] {
        lab.claim(claim);
    }
    claim_overlap(args, lab);
    Ok(())
}

/// Does the jobs one by one, on threads and in processes; starting and ending either is part of it.
fn every_way(
    workers: NonZeroUsize,
    lab: &mut Lab,
    [one_by_one, threads, processes]: [&str; 3],
    jobs: &[Job],
) -> anyhow::Result<()> {
    let results = variant(lab, one_by_one, NonZeroUsize::MIN, jobs).run_counted(
        || Ok(run_one_by_one(jobs)),
        |done| Tally::all_done(done.len()),
    )?;
    let results = &results.unwrap_or_else(|| run_one_by_one(jobs));
    let tally = |right: Vec<bool>| Tally::of_checked(&right, |right| *right);
    variant(lab, threads, workers, jobs).run_counted(
        || Ok(run_on_threads(workers, jobs)),
        |done| tally(done.iter().zip(results).map(|(a, b)| a == b).collect()),
    )?;
    let patience = lab.patience();
    let done = variant(lab, processes, workers, jobs).run_counted(
        || in_a_new_pool(workers, jobs, patience),
        |done| {
            let pairs = done.iter().zip(results);
            tally(pairs.map(|(a, b)| a.as_ref() == Ok(b)).collect())
        },
    )?;
    for error in done.iter().flatten().filter_map(|job| job.as_ref().err()) {
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
fn in_a_new_pool(
    workers: NonZeroUsize,
    jobs: &[Job],
    patience: Duration,
) -> anyhow::Result<Vec<Result<u64, TaskError>>> {
    let pool = JOB.pool_builder().workers(workers).timeout(patience);
    Ok(run_in_processes(&pool.recorded().start()?, jobs))
}

fn claim_overlap(args: &Args, lab: &mut Lab) {
    let text = "every job had the result that it has one by one";
    let mut right = Claim::that("all_right", text);
    let text = "I/O: the waits overlapped on both: less than 3/4 of the time of one by one";
    let mut waits = Claim::that("waits_overlap", text);
    let text = "overlap of CPU work: both ways were faster than one by one in every round";
    let mut works = Claim::that("work_overlaps", text).needs_cpus();
    let all = args.jobs.get();
    for way in [CPU, IO].concat() {
        right = right.check(done(way).equals(all));
    }
    for way in 1..3 {
        waits = waits.check(wall(IO[way]).below(wall(IO[0]) * 0.75));
        works = works.check((wall(CPU[way]) / wall(CPU[0])).below(1.0 / MARGIN));
    }
    lab.claim(right);
    for claim in [waits, works] {
        let alone = (args.workers.get().min(all) == 1)
            .then_some("one worker, or one job, has nothing to overlap with");
        lab.claim(claim.otherwise(alone));
    }
    let text = "I/O: processes needed at least half as much memory again as threads";
    let memory = peak_memory(IO[2]).above(peak_memory(IO[1]) * 1.5);
    let memory = Claim::that("processes_take_memory", text)
        .check(memory)
        .in_a_line("I/O: memory of the processes {left}, of the threads {right}");
    lab.claim(memory.headline());
}

/// The ways, and the claim of each that is compared with the first.
const WAYS: [&str; 4] = ["one by one", "threads", "processes", "a running pool"];
const CLAIMS: [&str; 4] = [
    "",
    "break_even_threads",
    "break_even_processes",
    "break_even_running_pool",
];

/// Runs all ways at every size, once per round, one job for each worker; claims the break-evens.
pub(crate) fn sweep(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (workers, rounds, seed) = (args.workers, args.rounds.rounds, lab.seed());
    lab.say(format!("sweep over the size of a job; rounds: {rounds} …"));
    // Each four times the one before; the last is that of a job in the 2 × 2.
    let sizes = (0..6).rev().map(|k| args.work.get() as u64 / 4_u64.pow(k));
    let sizes: Vec<u64> = sizes.filter(|steps| *steps > 0).collect();
    let mut sweep = Sweep::new("steps a job", &WAYS, sizes);
    let (patience, mut wrong) = (lab.patience(), 0);
    let running = JOB.pool_builder().workers(workers).timeout(patience);
    let running = running.start()?;
    for _ in 0..rounds.get() {
        for size in 0..sweep.sizes.len() {
            let jobs = compute_jobs(workers.get(), sweep.sizes[size], seed);
            let (expected, one_by_one) = timed(|| run_one_by_one(&jobs));
            let (threads, on_threads) = timed(|| run_on_threads(workers, &jobs));
            let (processes, in_processes) = timed(|| in_a_new_pool(workers, &jobs, patience));
            let (pooled, in_running_pool) = timed(|| run_in_processes(&running, &jobs));
            let right = |done: Vec<Result<u64, _>>| done.into_iter().flatten().eq(expected.clone());
            let right = [threads == expected, right(processes?), right(pooled)];
            wrong += right.iter().filter(|right| !**right).count();
            let took = [one_by_one, on_threads, in_processes, in_running_pool];
            sweep.add(size, took);
        }
    }
    let wrong = lab.note(None, "wrong_results_in_the_sweep", wrong);
    let text = "in the sweep, too, every job had the result that it has one by one";
    lab.claim(Claim::that("sweep_right", text).check(wrong.equals(0)));
    let cell = |size, way, time| match sweep.compared(size, way) {
        _ if way == 0 => time,
        Comparison::SecondFaster => time + ", faster",
        Comparison::FirstFaster => time + ", slower",
        Comparison::Same => time + ", as fast",
        Comparison::Undecided => time + ", ?",
    };
    let title = "Time for one job for each worker, by its size";
    let note = "faster, slower: than one by one by a tenth in every round. ?: not in every round";
    sweep.show(lab, [title, note], cell);
    (1..WAYS.len()).for_each(|way| claim_break_even(lab, &sweep, way));
    Ok(())
}

/// Where a way begins to pay: the first size from which on it is faster at every size.
fn break_even(found: &[Comparison]) -> Option<usize> {
    let wins = found.iter().rev();
    let wins = wins.take_while(|found| **found == Comparison::SecondFaster);
    Some(found.len() - wins.count()).filter(|index| *index < found.len())
}

fn break_even_of(sweep: &Sweep, way: usize) -> Option<usize> {
    let found = (0..sweep.sizes.len()).map(|size| sweep.compared(size, way));
    break_even(&found.collect::<Vec<_>>())
}

/// Claims from which size on a way was faster, or that it was so at the last size.
fn claim_break_even(lab: &mut Lab, sweep: &Sweep, way: usize) {
    let (sizes, name) = (&sweep.sizes, WAYS[way]);
    let from = break_even_of(sweep, way);
    let first = from.unwrap_or(sizes.len() - 1);
    let steps = format::count(sizes[first]);
    let text = match from {
        Some(_) => {
            format!("break-even of {name}: faster than one by one from {steps} steps a job on")
        }
        None => format!("break-even of {name}: faster at {steps} steps"),
    };
    let mut claim = Claim::that(CLAIMS[way], text);
    for (size, steps) in sizes.iter().enumerate().skip(first) {
        let figure = format!("{}_at_{steps}_steps", CLAIMS[way]);
        let rounds = sweep.times_s[size][0].iter().zip(&sweep.times_s[size][way]);
        let noted = rounds.map(|(first, second)| lab.note(None, &figure, second / first));
        let noted = noted.last().expect("there is a round");
        claim = claim.check(noted.below(1.0 / MARGIN));
    }
    lab.claim(match from {
        Some(_) => claim,
        None => claim.needs_cpus(),
    });
}

const IN_A_PROCESS: &str = "abort in a process";
const IN_A_THREAD: &str = "abort in a thread";

/// One of the jobs aborts, in a pool of processes and among the threads of one program.
pub(crate) fn abort(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let mut jobs = compute_jobs(args.jobs.get(), args.work.get() as u64, lab.seed());
    jobs[0] = Job::Abort;
    let (all, patience) = (jobs.len(), lab.patience());
    lab.say("job 1 aborts, in a pool of processes …");
    let ended = lab.variant(IN_A_PROCESS).other_work().run_counted(
        || in_a_new_pool(args.workers, &jobs, patience),
        |ended| Tally::of(ended),
    )?;
    if let Some(ended) = ended {
        let error = ended.iter().find_map(|job| job.as_ref().err());
        say(lab, ended.iter().flatten().count(), error);
    }
    lab.say("the same jobs on the threads of one program …");
    let ended = lab.variant(IN_A_THREAD).other_work().run_counted(
        || {
            let program = PROGRAM.pool_builder().workers(NonZeroUsize::MIN);
            let program = program.timeout(patience).recorded().start()?;
            Ok(program.call((args.workers, jobs.clone())))
        },
        |ended| match ended {
            Ok(results) => Tally::all_done(results.len()),
            // The others aborted nothing, and ended with the program.
            Err(_) => Tally {
                submitted: all as u64,
                failed: 1,
                cancelled: all as u64 - 1,
                ..Tally::default()
            },
        },
    )?;
    if let Some(ended) = ended {
        say(lab, ended.iter().flatten().count(), ended.as_ref().err());
    }
    claim_abort(lab, all);
    Ok(())
}

/// Claims what the abort of one of so many jobs ended.
fn claim_abort(lab: &mut Lab, all: usize) {
    let text = "an abort in a process cost that job only; all the others finished";
    let contained = Claim::that("abort_contained", text)
        .check(failed(IN_A_PROCESS).equals(1))
        .check(done(IN_A_PROCESS).equals(all - 1))
        .check(cancelled(IN_A_PROCESS).equals(0));
    lab.claim(contained.headline());
    let text = "an abort in a thread ended its whole program, and no result came out of it";
    let ended = Claim::that("abort_ends_program", text)
        .check(done(IN_A_THREAD).equals(0))
        .check(cancelled(IN_A_THREAD).equals(all - 1));
    lab.claim(ended.headline());
}

fn say(lab: &Lab, results: usize, error: Option<&TaskError>) {
    lab.say(format!("  results: {results}"));
    if let Some(error) = error {
        lab.say(format!("  {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison::*, *};

    #[test]
    fn one_lucky_size_is_no_break_even() {
        let lucky = [FirstFaster, SecondFaster, Undecided, SecondFaster];
        assert_eq!(break_even(&lucky), Some(3));
        assert_eq!(break_even(&lucky[..3]), None);
        assert_eq!(break_even(&[SecondFaster; 2]), Some(0));
        assert_eq!(break_even(&[]), None);
    }
}
