//! One job aborts: once in a pool of processes, once among the threads of a watched program.

use crate::{
    args::Args,
    square::{InProcesses, pool_of_processes},
};
use common::{Lab, Tally};
use lab_16_processes_vs_threads::{
    Job,
    isolation::{Watched, watch_threads},
};
use process_pool::{
    TaskError,
    child::{Exit, Program},
};
use serde::Serialize;
use std::time::Duration;

pub(crate) const IN_A_PROCESS: &str = "abort in a process";
pub(crate) const IN_A_THREAD: &str = "abort in a thread";

/// The program is killed if it has not ended by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where each job went, as the document has it.
#[derive(Serialize)]
struct InAProcess {
    #[serde(flatten)]
    pool: InProcesses,
    handed_over: usize,
}

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

pub(crate) fn abort_in_a_process(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = jobs(args, lab.seed());
    lab.say("one job aborts half-way, in a pool of processes …");
    let done = lab.variant(IN_A_PROCESS).other_work().run_counted(
        || {
            // Tried again, it would only abort again.
            let pool = pool_of_processes(args.workers, &jobs, 0)?;
            let handed_over = pool.jobs.iter().filter(|job| job.is_ok()).count();
            Ok(InAProcess { pool, handed_over })
        },
        |done| Tally::of(&done.pool.jobs),
    )?;
    for (number, job) in (1..).zip(&done.pool.jobs) {
        match job {
            Ok(_) => {}
            Err(error @ TaskError::WorkerLost { .. }) => {
                lab.say(format!("  job {number}: {error}"))
            }
            Err(error) => lab.fail(format!("{IN_A_PROCESS}: {error}")),
        }
    }
    say_handed_over(lab, done.handed_over, jobs.len());
    Ok(())
}

/// What is known of a program whose threads were at work, as the document has it.
#[derive(Serialize)]
struct InAThread {
    #[serde(flatten)]
    watched: Watched,
    results_handed_over: usize,
    ended_well: bool,
}

pub(crate) fn abort_in_a_thread(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let jobs = jobs(args, lab.seed());
    lab.say("the same jobs on the threads of another program, watched from here …");
    let done = lab.variant(IN_A_THREAD).other_work().run_counted(
        || {
            let watched = watch_threads(&Program::this(), args.workers, &jobs, PATIENCE)?;
            Ok(InAThread {
                results_handed_over: watched.handed_over.len(),
                ended_well: watched.exit == Exit::Code(0),
                watched,
            })
        },
        |done| {
            let (submitted, done) = (jobs.len() as u64, done.results_handed_over as u64);
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
    let Watched {
        exit, process_id, ..
    } = done.watched;
    lab.say(format!("  program {process_id} ended with {exit}"));
    say_handed_over(lab, done.results_handed_over, jobs.len());
    Ok(())
}

fn say_handed_over(lab: &Lab, handed_over: usize, jobs: usize) {
    lab.say(format!("  results handed over: {handed_over} of {jobs}"));
}
