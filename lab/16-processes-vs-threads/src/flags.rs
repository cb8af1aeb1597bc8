//! The flags of this step, and the jobs that they ask for.

use common::{
    cli::{RoundsArgs, Seconds, Usage, up_to},
    format,
};
use lab_16_processes_vs_threads::Job;
use serde::Serialize;
use std::num::NonZeroUsize;

/// Most steps that one way does in all rounds together: a run of this length ends within minutes.
const MOST_STEPS: u64 = 100_000_000_000;
/// The last size of the sweep over that of a job: past the break-even of processes, as a rule.
const SWEEP_BEYOND: u64 = 4;
/// Most waiting of one job after another in all rounds together.
const MOST_WAITING_S: f64 = 3600.0;

#[derive(clap::Args, Clone, Debug, Serialize)]
pub(crate) struct Args {
    /// Threads in the one pool, processes in the other, 1 to 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = up_to::<64>,
          allow_negative_numbers = true)]
    pub(crate) workers: NonZeroUsize,

    /// Jobs to do, 1 to 1,000
    #[arg(long, value_name = "N", default_value = "8", value_parser = up_to::<1000>,
          allow_negative_numbers = true)]
    pub(crate) jobs: NonZeroUsize,

    /// Steps of CPU work in a job, 1 to 1,000,000,000; the sweep goes up to 4 times that
    #[arg(long, value_name = "N", default_value = "5_000_000",
          value_parser = up_to::<1_000_000_000>, allow_negative_numbers = true)]
    pub(crate) work: NonZeroUsize,

    /// How long a job of I/O waits, in seconds, up to 10
    #[arg(long, value_name = "S", default_value = "0.1", value_parser = parse_wait,
          allow_negative_numbers = true)]
    #[serde(rename = "wait_s")]
    pub(crate) wait: Seconds,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rounds: RoundsArgs,
}

fn parse_wait(text: &str) -> Result<Seconds, String> {
    let wait: Seconds = text.parse()?;
    if wait.0.is_zero() || wait.0.as_secs_f64() > 10.0 {
        return Err("not a wait of more than 0 s and at most 10 s".into());
    }
    Ok(wait)
}

impl Args {
    /// Steps in a job of CPU work.
    pub(crate) fn steps(&self) -> u64 {
        self.work.get() as u64
    }

    /// Steps in a job at the end of the sweep.
    pub(crate) fn most_steps(&self) -> u64 {
        SWEEP_BEYOND * self.steps()
    }

    /// The waits of all jobs of I/O, one after another.
    pub(crate) fn waits_in_a_row_s(&self) -> f64 {
        self.wait.0.as_secs_f64() * self.jobs.get() as f64
    }

    /// The jobs of CPU work, each with a seed of its own.
    pub(crate) fn cpu_jobs(&self, seed: u64) -> Vec<Job> {
        jobs_of(self.jobs.get(), self.steps(), seed)
    }

    /// The jobs of I/O.
    pub(crate) fn io_jobs(&self) -> Vec<Job> {
        let duration = self.wait.0;
        let numbers = 1..=self.jobs.get() as u64;
        numbers
            .map(|number| Job::Wait { number, duration })
            .collect()
    }

    /// Refuses what would go on for hours.
    pub(crate) fn check(&self) -> Result<(), Usage> {
        let (jobs, work, wait, rounds) = (self.jobs, self.work, self.wait, self.rounds.rounds);
        let workers = self.workers;
        let at_most = jobs.get() as u64 * self.steps() + workers.get() as u64 * self.most_steps();
        let steps = at_most * rounds.get() as u64;
        if steps > MOST_STEPS {
            return Err(Usage(format!(
                "`--jobs {jobs} --workers {workers} --work {work} --rounds {rounds}` is {} steps \
                 with the sweep, more than {}; lower one of the four",
                format::count(steps),
                format::count(MOST_STEPS)
            )));
        }
        if self.waits_in_a_row_s() * rounds.get() as f64 > MOST_WAITING_S {
            return Err(Usage(format!(
                "`--jobs {jobs} --wait {wait} --rounds {rounds}` is more than an hour of waits; \
                 lower one of the three"
            )));
        }
        Ok(())
    }
}

/// `count` jobs of `steps` each.
pub(crate) fn jobs_of(count: usize, steps: u64, seed: u64) -> Vec<Job> {
    let seeds = (0..count as u64).map(|number| seed.wrapping_add(number));
    seeds.map(|seed| Job::Work { seed, steps }).collect()
}
