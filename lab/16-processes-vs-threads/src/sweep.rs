//! The same ways over jobs of ever more steps: from which size on do the pools pay?

mod curve;
mod table;

use crate::{
    args::{Args, jobs_of},
    square::pool_of_processes,
};
use common::Lab;
use lab_16_processes_vs_threads::{
    Done, JOB, Job, JobPool, run_in_processes, run_on_threads, run_one_by_one,
    verdict::{Comparison, Verdict, compare_by_round, find_break_even},
};
use measure::timing::timed;
use serde::Serialize;
use std::num::NonZeroUsize;

/// The ways that are compared with one job after another, as the document and as a line calls them.
pub(crate) const WAYS: [(&str, &str); 3] = [
    ("threads", "threads"),
    ("processes", "processes"),
    ("running_pool", "a running pool"),
];

/// Sizes in the sweep, each four times the one before.
const SIZES: u32 = 6;

/// What the sweep found.
#[derive(Serialize)]
pub(crate) struct Sweep {
    pub(crate) points: Vec<Point>,
    /// Of all results, how many there were and how many were right.
    jobs: usize,
    right: usize,
    /// The steps of a job from which on each way is faster at every size.
    pub(crate) break_even_steps: [Option<u64>; WAYS.len()],
}

/// One size of job.
#[derive(Serialize)]
pub(crate) struct Point {
    pub(crate) steps: u64,
    pub(crate) one_by_one_s: Vec<f64>,
    pub(crate) threads: Way,
    pub(crate) processes: Way,
    pub(crate) running_pool: Way,
}

/// One way at one size, compared with one job after another.
#[derive(Default, Serialize)]
pub(crate) struct Way {
    pub(crate) times_s: Vec<f64>,
    #[serde(flatten)]
    pub(crate) over_one_by_one: Option<Comparison>,
}

impl Point {
    fn of(steps: u64) -> Self {
        Self {
            steps,
            one_by_one_s: Vec::new(),
            threads: Way::default(),
            processes: Way::default(),
            running_pool: Way::default(),
        }
    }

    pub(crate) fn ways(&self) -> [&Way; WAYS.len()] {
        [&self.threads, &self.processes, &self.running_pool]
    }

    /// Compares what all rounds brought.
    fn conclude(&mut self) {
        let Self { one_by_one_s, .. } = self;
        for way in [
            &mut self.threads,
            &mut self.processes,
            &mut self.running_pool,
        ] {
            way.over_one_by_one = Some(compare_by_round(one_by_one_s, &way.times_s));
        }
    }
}

impl Way {
    pub(crate) fn verdict(&self) -> Verdict {
        let compared = self.over_one_by_one.as_ref();
        compared.map_or(Verdict::TooNoisy, |compared| compared.verdict)
    }
}

/// Runs all ways at every size, once per round; one job for each worker.
///
/// A size is one figure of many, so it is no variant with a timeline and a ledger of its own.
pub(crate) fn measure(args: &Args, lab: &mut Lab) -> anyhow::Result<Sweep> {
    let (count, rounds) = (args.workers, args.rounds);
    lab.say(format!(
        "sweep over the size of a job, {count} jobs on {count} workers, {rounds} rounds …"
    ));
    let sizes = (0..SIZES).rev().map(|k| args.most_steps() / 4_u64.pow(k));
    let sizes = sizes.filter(|steps| *steps > 0);
    let mut sweep = Sweep {
        points: sizes.map(Point::of).collect(),
        jobs: 0,
        right: 0,
        break_even_steps: [None; WAYS.len()],
    };
    let running = JOB.pool(count)?;
    for _ in 0..rounds.get() {
        for index in 0..sweep.points.len() {
            sweep.measure_once(index, count, lab.seed(), &running)?;
        }
    }
    sweep.points.iter_mut().for_each(Point::conclude);
    sweep.break_even_steps = [0, 1, 2].map(|way| sweep.break_even(way));
    lab.param("sweep", &sweep);
    lab.curve(sweep.curve());
    Ok(sweep)
}

impl Sweep {
    fn measure_once(
        &mut self,
        index: usize,
        workers: NonZeroUsize,
        seed: u64,
        running: &JobPool,
    ) -> anyhow::Result<()> {
        let point = &mut self.points[index];
        let jobs: Vec<Job> = jobs_of(workers.get(), point.steps, seed);
        let (expected, one_by_one) = timed(|| run_one_by_one(&jobs));
        let (threads, on_threads) = timed(|| run_on_threads(workers, &jobs));
        let (processes, in_processes) = timed(|| pool_of_processes(workers, &jobs, 1));
        let (at_once, in_running_pool) = timed(|| run_in_processes(running, &jobs));
        let (processes, threads) = (processes?.jobs, threads?);
        point.one_by_one_s.push(one_by_one.as_secs_f64());
        for (way, time) in [
            (&mut point.threads, on_threads),
            (&mut point.processes, in_processes),
            (&mut point.running_pool, in_running_pool),
        ] {
            way.times_s.push(time.as_secs_f64());
        }
        let done = threads.iter().map(Some);
        let done = done.chain(
            processes
                .iter()
                .chain(&at_once)
                .map(|job| job.as_ref().ok()),
        );
        let value = |done: &Done| done.value;
        for (expected, done) in expected.iter().cycle().zip(done) {
            self.jobs += 1;
            self.right += usize::from(done.map(value) == Some(expected.value));
        }
        Ok(())
    }

    /// The place of the break-even in the sweep, by the way's place in [`WAYS`].
    pub(crate) fn break_even_at(&self, way: usize) -> Option<usize> {
        let verdicts = self.points.iter().map(|point| point.ways()[way].verdict());
        find_break_even(&verdicts.collect::<Vec<_>>())
    }

    fn break_even(&self, way: usize) -> Option<u64> {
        self.break_even_at(way)
            .map(|index| self.points[index].steps)
    }
}
