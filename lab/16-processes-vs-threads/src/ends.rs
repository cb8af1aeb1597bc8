//! One job aborts: once in a pool of processes, once among the threads of a watched program.

use crate::{flags::Args, square::pool_of_processes};
use common::{
    Lab, Tally,
    claim::{Claim, cancelled, count, failed},
};
use lab_16_processes_vs_threads::{Job, isolation::watch_threads};
use process_pool::{
    TaskError,
    child::{Exit, Program},
};
use std::time::Duration;

const IN_A_PROCESS: &str = "abort in a process";
const IN_A_THREAD: &str = "abort in a thread";

/// The program is killed if it has not ended by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// The jobs of CPU work, the first of which aborts half-way.
fn jobs(args: &Args, seed: u64) -> Vec<Job> {
    let mut jobs = args.cpu_jobs(seed);
    if let Some(first @ Job::Work { .. }) = jobs.first_mut()
        && let Job::Work { seed, steps } = *first
    {
        *first = Job::AbortHalfWay { seed, steps };
    }
    jobs
}

/// Runs both, and claims what each abort took with it.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    abort_in_a_process(args, lab)?;
    abort_in_a_thread(args, lab)
}

fn abort_in_a_process(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = jobs(args, lab.seed());
    lab.say("one job aborts half-way, in a pool of processes …");
    let ended = lab.variant(IN_A_PROCESS).other_work().run_counted(
        // Tried again, it would only abort again.
        || pool_of_processes(args.workers, &jobs, 0),
        |ended| Tally::of(&ended.jobs),
    )?;
    for (number, job) in (1..).zip(&ended.jobs) {
        match job {
            Ok(_) => {}
            Err(error @ TaskError::WorkerLost { .. }) => {
                lab.say(format!("  job {number}: {error}"))
            }
            Err(error) => lab.fail(format!("{IN_A_PROCESS}: {error}")),
        }
    }
    let results = ended.jobs.iter().flatten().count();
    say_handed_over(lab, results, jobs.len());
    let lost = lab.count(
        IN_A_PROCESS,
        "workers_lost",
        ended.pool.workers_lost as usize,
    );
    lab.claim(
        Claim::that(
            "abort_contained",
            "an abort in a process cost one worker and one job; the others finished",
        )
        .check(failed(IN_A_PROCESS).equals(count(1)))
        .check(lost.equals(count(1)))
        .check(cancelled(IN_A_PROCESS).equals(count(0)))
        .headline(),
    );
    Ok(())
}

fn abort_in_a_thread(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = jobs(args, lab.seed());
    lab.say("the same jobs on the threads of another program, watched from here …");
    let watched = lab.variant(IN_A_THREAD).other_work().run_counted(
        || {
            Ok(watch_threads(
                &Program::this(),
                args.workers,
                &jobs,
                PATIENCE,
            )?)
        },
        |watched| {
            let (submitted, done) = (jobs.len() as u64, watched.handed_over.len() as u64);
            Tally {
                submitted,
                done,
                // One aborted; the others went with it.
                failed: 1,
                cancelled: submitted - 1 - done,
                ..Tally::default()
            }
        },
    )?;
    let (exit, pid) = (watched.exit, watched.process_id);
    lab.say(format!("  program {pid} ended with {exit}"));
    let results = watched.handed_over.len();
    say_handed_over(lab, results, jobs.len());
    let ended_well = usize::from(watched.exit == Exit::Code(0));
    let ended_well = lab.count(IN_A_THREAD, "programs_that_ended_well", ended_well);
    let results = lab.count(IN_A_THREAD, "results_handed_over", results);
    lab.claim(
        Claim::that(
            "abort_ends_program",
            "an abort in a thread ended its whole program, and no result came out of it",
        )
        .check(ended_well.equals(count(0)))
        .check(results.equals(count(0)))
        .headline(),
    );
    Ok(())
}

fn say_handed_over(lab: &Lab, handed_over: usize, jobs: usize) {
    lab.say(format!("  results handed over: {handed_over} of {jobs}"));
}
