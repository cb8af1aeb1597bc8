//! The jobs in a pool of their own, so that starting its processes is part of the picture.

use super::SEQUENTIAL;
use common::{Bound, Lab, Measure, Tally, format};
use lab_04_gil_processes::{COUNT, Counted, Job, count_in_processes};
use process_pool::{Ledger, TaskError};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// What the pool leaves: the outcomes in the order of the jobs, and what it took.
#[derive(Serialize)]
pub(crate) struct InProcesses {
    pub(crate) jobs: Vec<Result<Counted, TaskError>>,
    startup: Vec<Duration>,
    pub(crate) pool: Ledger,
}

impl InProcesses {
    pub(crate) fn slower_startup(&self) -> Duration {
        self.startup.iter().copied().max().unwrap_or_default()
    }
}

pub(crate) fn run(
    variant: Measure<'_>,
    jobs: [Job; 2],
    retries: u32,
) -> anyhow::Result<InProcesses> {
    variant.bound(Bound::Work { workers: 2 }).run_counted(
        || {
            let pool = COUNT
                .pool_builder()
                .workers(TWO)
                .retries(retries)
                .recorded()
                .start()?;
            Ok(InProcesses {
                jobs: count_in_processes(&pool, &jobs),
                startup: pool.startup(),
                pool: pool.shutdown(),
            })
        },
        |done| {
            let pairs = jobs.iter().zip(&done.jobs);
            let as_asked: Vec<bool> = pairs.map(|(job, done)| is_as_asked(*job, done)).collect();
            Tally {
                retried: done.pool.retried,
                ..Tally::of_checked(&as_asked, |is_as_asked| *is_as_asked)
            }
        },
    )
}

fn is_as_asked(job: Job, done: &Result<Counted, TaskError>) -> bool {
    done.as_ref()
        .is_ok_and(|done| job == Job::Count(done.steps))
}

pub(crate) fn say_jobs(lab: &Lab, done: &InProcesses) {
    for (number, job) in (1..).zip(&done.jobs) {
        lab.say(match job {
            Ok(job) => {
                let (steps, id) = (format::count(job.steps), job.process_id);
                format!("job {number}: counted down from {steps} in process {id}")
            }
            Err(error) => format!("job {number}: {error}"),
        });
    }
    for (number, startup) in (1..).zip(&done.startup) {
        let startup = format::seconds(*startup);
        lab.say(format!("start-up of worker {number}: {startup}"));
    }
}

/// Says from which size of job on two processes can win what their start costs.
///
/// One after another two jobs take 2 t. Two processes take t and a start-up s at the least, however
/// many CPUs there are: for t < s that is more.
pub(crate) fn say_break_even(lab: &Lab, done: &InProcesses, steps: u64) {
    let times = lab.job_times(SEQUENTIAL);
    let all: Duration = times.iter().sum();
    if all.is_zero() {
        return;
    }
    let steps_per_s = steps as f64 * times.len() as f64 / all.as_secs_f64();
    let millions = format::plain(done.slower_startup().as_secs_f64() * steps_per_s / 1e6);
    lab.say(format!(
        "while the slower of them started, a job could count {millions} million steps: by"
    ));
    lab.say("these figures two jobs shorter than that are done sooner one after another");
}
