//! `while let` with a lock in its condition.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::thread::{self, ThreadId};

const JOBS: usize = 6;
const WORKERS: usize = 2;

pub(crate) const DRILL: Drill = Drill {
    number: 17,
    name: "while_let_with_a_lock",
    task: "Two workers take jobs from a shared queue, each job when the worker has done the one before. \
           The lock protects the queue only, yet one job runs at a time: the second worker gets \
           no job while the first one works. Repair `work_all`: both work at once, and there are \
           no more of them than asked for.",
    hints: [
        "When does the guard that `jobs.lock().unwrap()` returns die? Does its line end there?",
        "A temporary in the condition of `while let` lives until the end of the body: the lock is \
         held while the job runs.",
        "In a `loop`: `let job = jobs.lock().unwrap().next();` ends with its semicolon, and so does \
         the guard. Then `let Some(job) = job else { break };` and `job.run()`.",
    ],
    entry: "work_all",
    source: include_str!("d17.rs"),
    candidates: crate::candidates! { work_all;
        solution "",
        solution_closure "",
        shipped "the guard in the condition of `while let` lives as long as the body",
        one_job_each "each worker ends after its first job",
        dealt_out "the jobs are dealt out before it is known who is free",
        thread_per_job "each job has a thread of its own",
        serial "no worker is started",
    },
};

/// A job, which takes a while.
pub struct Job(usize, Stage, ThreadId);

impl Job {
    /// Does it.
    pub fn run(self) {
        if thread::current().id() == self.2 {
            self.1.note(self.0, "by the caller");
        }
        self.1.work(self.0);
    }
}

/// Checks a repair.
pub fn check(work_all: fn(Vec<Job>, usize)) -> Verdict {
    judge("job", JOBS, |stage| {
        let seen = stage.clone();
        stage.watch(move || {
            let caller = thread::current().id();
            let jobs = (0..JOBS).map(|at| Job(at, seen.clone(), caller));
            work_all(jobs.collect(), WORKERS);
        })?;
        let (done, most) = (stage.count(None, "leave"), stage.most_inside());
        ensure!(
            stage.count(None, "by the caller") == 0,
            "the calling thread did the jobs, one after another: no worker was started"
        );
        ensure!(
            done == JOBS,
            "{done} of {JOBS} jobs are done: the workers did not come back for more"
        );
        ensure!(
            most <= WORKERS,
            "{most} jobs were at work at once, and {WORKERS} workers are asked for"
        );
        ensure!(
            most == WORKERS,
            "{most} job was at work at a time: while its worker ran it, the other one waited for the lock of the queue"
        );
        ensure!(
            !(0..JOBS).any(|job| one_is_idle(stage, job)),
            "a worker was done while the jobs of the other still waited: they were dealt out in advance"
        );
        Ok(())
    })
}

/// Whether a worker had no job, and some job no worker, when this job's work ended.
fn one_is_idle(stage: &Stage, job: usize) -> bool {
    let at = stage.first(Some(job), "leave");
    let before = |what| {
        (0..JOBS)
            .filter(|job| stage.first(Some(*job), what) < at)
            .count()
    };
    let begun = before("enter");
    begun < JOBS && begun - before("leave") < WORKERS
}

mod shipped {
    use lab_drills::d17::Job;
    use std::{sync::Mutex, thread};

    /// Lets so many workers, here 2, do all jobs.
    pub(super) fn work_all(jobs: Vec<Job>, workers: usize) {
        let jobs = Mutex::new(jobs.into_iter());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(job) = jobs.lock().unwrap().next() {
                        job.run();
                    }
                });
            }
        });
    }
}

mod solution {
    use lab_drills::d17::Job;
    use std::{sync::Mutex, thread};

    /// Lets so many workers, here 2, do all jobs.
    pub(super) fn work_all(jobs: Vec<Job>, workers: usize) {
        let jobs = Mutex::new(jobs.into_iter());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let job = jobs.lock().unwrap().next();
                        let Some(job) = job else { break };
                        job.run();
                    }
                });
            }
        });
    }
}

mod solution_closure {
    pub(super) fn work_all(jobs: Vec<super::Job>, workers: usize) {
        let jobs = std::sync::Mutex::new(jobs.into_iter());
        let next = || jobs.lock().unwrap().next();
        let work = || std::iter::from_fn(next).for_each(super::Job::run);
        std::thread::scope(|scope| (0..workers).for_each(|_| _ = scope.spawn(work)));
    }
}

mod one_job_each {
    pub(super) fn work_all(jobs: Vec<super::Job>, workers: usize) {
        let jobs = std::sync::Mutex::new(jobs.into_iter());
        let work = || {
            let job = jobs.lock().unwrap().next();
            if let Some(job) = job {
                job.run();
            }
        };
        std::thread::scope(|scope| (0..workers).for_each(|_| _ = scope.spawn(work)));
    }
}

mod dealt_out {
    pub(super) fn work_all(mut jobs: Vec<super::Job>, workers: usize) {
        let share = jobs.len().div_ceil(workers);
        std::thread::scope(|scope| {
            while !jobs.is_empty() {
                let own = jobs.split_off(jobs.len().saturating_sub(share));
                scope.spawn(|| own.into_iter().for_each(super::Job::run));
            }
        });
    }
}

mod thread_per_job {
    pub(super) fn work_all(jobs: Vec<super::Job>, _: usize) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(|| job.run());
            }
        });
    }
}

mod serial {
    pub(super) fn work_all(jobs: Vec<super::Job>, _: usize) {
        jobs.into_iter().for_each(super::Job::run);
    }
}
