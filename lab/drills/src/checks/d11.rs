//! A pool that loses a panic.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::{bail, ensure};
use std::{any::Any, panic::resume_unwind};

const JOBS: usize = 3;
/// The message of the panic.
const FULL: &str = "the disk is full";

pub(crate) const DRILL: Drill = Drill {
    number: 11,
    name: "lost_panic",
    task: "One of three jobs panics, and its caller never learns of it: there are two results instead \
           of three. Repair `run_all`: each job has a result in its place, and that of a job that \
           panics is an `Err` with the message of its panic. The jobs run at the same time.",
    hints: [
        "What does `join` return for a thread that has panicked?",
        "`join` returns a `Result`: `ok()` throws the panic away. Map its error instead.",
        "`thread.join().map_err(message)`, where `message` makes a text of a panic, gives each job a \
         `Result<u32, String>`.",
    ],
    entry: "run_all",
    source: include_str!("d11.rs"),
    candidates: crate::candidates! { run_all;
        solution "",
        shipped "a job that panics has no result",
        takes_all_down "the panic is passed on to the caller",
        looks_fine "a job that panics has the result 0",
        serial "the jobs run one by one, each under `catch_unwind`",
    },
};

/// A job; the second one panics.
pub struct Job(usize, Stage);

impl Job {
    /// Does the work.
    ///
    /// # Panics
    /// The disk is full.
    pub fn run(self) -> u32 {
        self.1.work(self.0);
        if self.0 == 1 {
            // Past the hook: this panic is the drill's, not the repair's.
            resume_unwind(Box::new(FULL));
        }
        self.0 as u32 * 10
    }
}

/// The message of a panic.
pub fn message(panic: Box<dyn Any + Send>) -> String {
    crate::stage::message(&*panic)
}

/// Checks a repair.
pub fn check(run_all: fn(Vec<Job>) -> Vec<Result<u32, String>>) -> Verdict {
    judge("job", JOBS, |stage| {
        let seen = stage.clone();
        let got = stage.watch(move || run_all((0..JOBS).map(|at| Job(at, seen.clone())).collect()));
        // As it is passed on, or as `unwrap` words it.
        let is_passed_on = |error: &anyhow::Error| {
            let text = error.to_string();
            [FULL, "Any {"].iter().any(|part| text.contains(part))
        };
        if got.as_ref().is_err_and(is_passed_on) {
            stage.forgive();
            bail!(
                "the panic of job 2 ended `run_all`: the results of jobs 1 and 3 are lost with it"
            );
        }
        let got = got?;
        let (results, most) = (got.len(), stage.most_inside());
        stage.ended(format!("it returned {results} results"));
        ensure!(
            results == JOBS,
            "{results} results for {JOBS} jobs: that of the job that panicked is missing, and nothing says so"
        );
        ensure!(
            got[1].is_err(),
            "job 2 panicked, and its result is {:?}, as if all were well",
            got[1]
        );
        let expected = [Ok(0), Err(FULL.to_owned()), Ok(20)];
        ensure!(
            got == expected,
            "the results are {got:?} instead of {expected:?}"
        );
        ensure!(
            most == JOBS,
            "at most {most} of {JOBS} jobs were at work at once: something waited for job 1 before it started job 2 (`map` is lazy)"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d11::Job;
    use std::thread;

    /// Runs each job on a thread of its own; returns their results, or the messages of their panics.
    pub(super) fn run_all(jobs: Vec<Job>) -> Vec<Result<u32, String>> {
        let start = |job: Job| thread::spawn(move || job.run());
        let started: Vec<_> = jobs.into_iter().map(start).collect();
        let joined = started.into_iter().filter_map(|thread| thread.join().ok());
        joined.map(Ok).collect()
    }
}

mod solution {
    use lab_drills::d11::{Job, message};
    use std::thread;

    /// Runs each job on a thread of its own; returns their results, or the messages of their panics.
    pub(super) fn run_all(jobs: Vec<Job>) -> Vec<Result<u32, String>> {
        let start = |job: Job| thread::spawn(move || job.run());
        let started: Vec<_> = jobs.into_iter().map(start).collect();
        let joined = started.into_iter().map(|thread| thread.join());
        joined.map(|result| result.map_err(message)).collect()
    }
}

mod takes_all_down {
    pub(super) fn run_all(jobs: Vec<super::Job>) -> Vec<Result<u32, String>> {
        let start = |job: super::Job| std::thread::spawn(move || job.run());
        let started: Vec<_> = jobs.into_iter().map(start).collect();
        started
            .into_iter()
            .map(|it| Ok(it.join().unwrap()))
            .collect()
    }
}

mod looks_fine {
    pub(super) fn run_all(jobs: Vec<super::Job>) -> Vec<Result<u32, String>> {
        let start = |job: super::Job| std::thread::spawn(move || job.run());
        let started: Vec<_> = jobs.into_iter().map(start).collect();
        started
            .into_iter()
            .map(|it| Ok(it.join().unwrap_or(0)))
            .collect()
    }
}

mod serial {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    pub(super) fn run_all(jobs: Vec<super::Job>) -> Vec<Result<u32, String>> {
        let run = |job: super::Job| catch_unwind(AssertUnwindSafe(|| job.run()));
        jobs.into_iter()
            .map(|job| run(job).map_err(super::message))
            .collect()
    }
}
