//! CPU work: one thread, threads, rayon, a process pool, and what the CPUs allow just now.

use anyhow::{Context, ensure};
use lab_15_thread_pool_executor::{Load, Task, run_on_rayon};
use lab_16_processes_vs_threads::{JOB, Job, run_in_processes, run_on_threads, run_one_by_one};
use measure::workload::mix;
use side_by_side::{Group, Row, Setting, Unit};
use std::{
    num::NonZeroUsize,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

/// What a job takes alone, at least.
const JOB_TIME: Duration = Duration::from_millis(100);

/// Each worker has so many jobs.
const JOBS_EACH: usize = 4;

/// What Python's jobs are shortened by, so that they take about as long as ours.
const PYTHON_SHARE: u64 = 128;

pub(crate) fn group(setting: &Setting) -> anyhow::Result<Group> {
    let steps = if setting.plan.is_test {
        10_000
    } else {
        steps_in(JOB_TIME)
    };
    let cpus = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut rows = vec![Ok(sequential(Jobs::of(NonZeroUsize::MIN, steps)))];
    for workers in (1..=2 * cpus.get()).filter_map(NonZeroUsize::new) {
        let jobs = Jobs::of(workers, steps);
        rows.extend(jobs.rows(workers)?.map(Ok));
        rows.extend(python(setting, "threads", workers, steps));
        rows.extend(python(setting, "multiprocessing", workers, steps));
    }
    rows.extend(python(setting, "sequential", NonZeroUsize::MIN, steps));
    let title = format!("CPU work: {JOBS_EACH} jobs of about 100 ms for each worker");
    Ok(Group::new(title, Unit::per_second("steps"), Vec::new())
        .along("workers")
        .with(rows))
}

/// How many steps keep a CPU busy for that long, by the fastest of five tries.
fn steps_in(time: Duration) -> u64 {
    const PROBE: u64 = 5_000_000;
    let tries = (0..5).map(|_| {
        let start = Instant::now();
        mix(1, PROBE);
        start.elapsed()
    });
    let fastest = tries.min().unwrap_or(time).max(Duration::from_nanos(1));
    (PROBE as f64 * time.as_secs_f64() / fastest.as_secs_f64()) as u64
}

/// The same jobs for each way of doing them, and their answers.
#[derive(Clone)]
struct Jobs {
    steps: u64,
    jobs: Vec<Job>,
    answers: Vec<u64>,
}

impl Jobs {
    fn of(workers: NonZeroUsize, steps: u64) -> Self {
        let seeds = 0..(JOBS_EACH * workers.get()) as u64;
        let jobs = seeds.clone().map(|seed| Job::Compute { seed, steps });
        Self {
            steps,
            jobs: jobs.collect(),
            answers: seeds.map(|seed| mix(seed, steps)).collect(),
        }
    }

    fn all_steps(&self) -> u64 {
        self.steps * self.jobs.len() as u64
    }

    fn check(&self, answers: impl IntoIterator<Item = u64>) -> anyhow::Result<()> {
        let answers: Vec<u64> = answers.into_iter().collect();
        ensure!(answers == self.answers, "a wrong answer");
        Ok(())
    }

    fn rows(self, workers: NonZeroUsize) -> anyhow::Result<impl Iterator<Item = Row>> {
        let all = self.all_steps();
        let rows = [
            Row::floor("bare threads", self.clone().on_bare_threads(workers)),
            Row::ours("threads", self.clone().on_threads(workers)),
            Row::ours("rayon", self.clone().on_rayon(workers)),
            Row::ours("processes", self.in_processes(workers)?),
        ];
        let place = workers.get() as f64;
        Ok(rows.into_iter().map(move |row| row.of(all).at(place)))
    }

    /// Threads that are there already and have been told their share: nothing is left to be arranged.
    fn on_bare_threads(self, workers: NonZeroUsize) -> impl FnMut(u64) -> anyhow::Result<Duration> {
        move |_| {
            let gate = Barrier::new(workers.get());
            let share = |number: usize| {
                let own = self.jobs.iter().skip(number).step_by(workers.get());
                gate.wait();
                let start = Instant::now();
                let done: Vec<_> = own.map(|job| run_one_by_one(&[*job])[0]).collect();
                (start, Instant::now(), done)
            };
            thread::scope(|scope| {
                let share = &share;
                let threads = (0..workers.get()).map(|number| scope.spawn(move || share(number)));
                let threads: Vec<_> = threads.collect();
                let shares = threads
                    .into_iter()
                    .map(|thread| thread.join().expect("no panic"));
                let shares: Vec<_> = shares.collect();
                let first = shares.iter().map(|(start, ..)| *start).min();
                let last = shares.iter().map(|(_, end, _)| *end).max();
                let mut answers = vec![0; self.answers.len()];
                for (number, (.., done)) in shares.into_iter().enumerate() {
                    for (place, answer) in done.into_iter().enumerate() {
                        answers[number + place * workers.get()] = answer;
                    }
                }
                self.check(answers)?;
                let (first, last) = first.zip(last).context("a worker")?;
                Ok(last.duration_since(first))
            })
        }
    }

    fn on_threads(self, workers: NonZeroUsize) -> impl FnMut(u64) -> anyhow::Result<Duration> {
        move |_| {
            let start = Instant::now();
            let done = run_on_threads(workers, &self.jobs);
            let took = start.elapsed();
            self.check(done)?;
            Ok(took)
        }
    }

    fn on_rayon(self, workers: NonZeroUsize) -> impl FnMut(u64) -> anyhow::Result<Duration> {
        let load = Load::Work(self.steps);
        let tasks = (0..self.jobs.len()).map(|number| Task { number, load });
        let tasks: Vec<Task> = tasks.collect();
        move |_| {
            let mut answers = vec![0; tasks.len()];
            let start = Instant::now();
            run_on_rayon(workers, &tasks, |(number, value)| answers[number] = value);
            let took = start.elapsed();
            self.check(answers)?;
            Ok(took)
        }
    }

    /// The processes are there before: what it takes to start them is a group of its own.
    fn in_processes(
        self,
        workers: NonZeroUsize,
    ) -> anyhow::Result<impl FnMut(u64) -> anyhow::Result<Duration>> {
        let pool = JOB.pool_builder().workers(workers).start()?;
        Ok(move |_| {
            let start = Instant::now();
            let outcomes = run_in_processes(&pool, &self.jobs);
            let took = start.elapsed();
            let done = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
            self.check(done)?;
            Ok(took)
        })
    }
}

fn sequential(jobs: Jobs) -> Row {
    let all = jobs.all_steps();
    let work = move |_| {
        let start = Instant::now();
        let done = run_one_by_one(&jobs.jobs);
        let took = start.elapsed();
        jobs.check(done)?;
        Ok(took)
    };
    Row::ours("sequential", work).of(all).at(1.0)
}

/// Python's way, with jobs of fewer steps: its time is divided by its own count.
fn python(
    setting: &Setting,
    way: &str,
    workers: NonZeroUsize,
    steps: u64,
) -> Vec<Result<Row, String>> {
    let steps = (steps / PYTHON_SHARE).max(1);
    let jobs = (JOBS_EACH * workers.get()) as u64;
    let words = [way.to_owned(), workers.to_string(), jobs.to_string()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let rows = setting.python(way, "cpu.py", &words).into_iter();
    let placed = rows.map(|row| row.map(|row| row.of(steps * jobs).at(workers.get() as f64)));
    placed.collect()
}
