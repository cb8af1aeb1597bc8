//! One job aborts: in a pool of processes, and among the threads of one program.

use crate::args::{Args, compute_jobs};
use common::{
    Lab, Recorded, Tally,
    claim::{Claim, cancelled, count, done, failed},
};
use lab_16_processes_vs_threads::{JOB, Job, PROGRAM, run_in_processes};
use process_pool::TaskError;
use std::num::NonZeroUsize;

const IN_A_PROCESS: &str = "abort in a process";
const IN_A_THREAD: &str = "abort in a thread";

/// Runs both, and claims what each abort ended.
pub(crate) fn run(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let mut jobs = compute_jobs(args.jobs.get(), args.work.get(), lab.seed());
    jobs[0] = Job::Abort;
    let all = jobs.len();
    lab.say("job 1 aborts, in a pool of processes …");
    let ended = lab.variant(IN_A_PROCESS).other_work().run_counted(
        || {
            let pool = JOB
                .pool_builder()
                .workers(args.workers)
                .recorded()
                .start()?;
            Ok(run_in_processes(&pool, &jobs))
        },
        |ended| Tally::of(ended),
    )?;
    let error = ended.iter().find_map(|job| job.as_ref().err());
    say(lab, ended.iter().flatten().count(), error);
    lab.say("the same jobs on the threads of one program …");
    let ended = lab.variant(IN_A_THREAD).other_work().run_counted(
        || {
            let program = PROGRAM
                .pool_builder()
                .workers(NonZeroUsize::MIN)
                .recorded()
                .start()?;
            Ok(program.call((args.workers, jobs.clone())))
        },
        |ended| Tally {
            submitted: all as u64,
            done: ended.as_ref().map_or(0, |results| results.len() as u64),
            failed: u64::from(ended.is_err()),
            // They aborted nothing, and ended with the program.
            cancelled: if ended.is_err() { all as u64 - 1 } else { 0 },
            ..Tally::default()
        },
    )?;
    say(
        lab,
        ended.as_ref().map_or(0, Vec::len),
        ended.as_ref().err(),
    );
    claim(lab, all);
    Ok(())
}

fn say(lab: &Lab, results: usize, error: Option<&TaskError>) {
    lab.say(format!("  results: {results}"));
    if let Some(error) = error {
        lab.say(format!("  {error}"));
    }
}

fn claim(lab: &mut Lab, all: usize) {
    let text = "an abort in a process cost that job only; all the others finished";
    let contained = Claim::that("abort_contained", text)
        .check(failed(IN_A_PROCESS).equals(count(1)))
        .check(done(IN_A_PROCESS).equals(count(all - 1)))
        .check(cancelled(IN_A_PROCESS).equals(count(0)));
    lab.claim(contained.headline());
    let text = "an abort in a thread ended its whole program, and no result came out of it";
    let ended = Claim::that("abort_ends_program", text)
        .check(done(IN_A_THREAD).equals(count(0)))
        .check(cancelled(IN_A_THREAD).equals(count(all - 1)));
    lab.claim(ended.headline());
}
