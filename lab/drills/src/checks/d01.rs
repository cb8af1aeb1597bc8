//! Join what you start.

use crate::{
    Drill,
    stage::{Stage, judge},
    verdict::Verdict,
};
use anyhow::ensure;
use std::thread;

const JOBS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 1,
    name: "join_what_you_start",
    task: "`run_all` starts a thread for each job and returns at once, while the jobs are still at \
           work. Repair it: all jobs work at the same time, each on a thread of its own, and when \
           `run_all` returns, all of them are done.",
    hints: [
        "Who waits for a thread that `thread::spawn` has started? Nothing does by itself.",
        "`spawn` returns a handle. Keep all handles; `join` waits for one thread.",
        "Join only after all have been started: a `join` in the starting loop waits before the next \
         job begins. So does one in a loop over `jobs.into_iter().map(…)`: `map` is lazy and starts \
         nothing until `collect` makes it. `thread::scope` joins all by itself.",
    ],
    entry: "run_all",
    source: include_str!("d01.rs"),
    candidates: crate::candidates! { run_all;
        solution "",
        solution_scope "",
        shipped "nothing joins the threads",
        joins_at_once "each thread is joined before the next one starts",
        joins_the_last "only the last thread is joined",
        serial "there are no threads at all",
    },
};

/// Work that takes a while.
pub struct Job(usize, Stage, thread::ThreadId);

impl Job {
    /// Does the work, all of it.
    pub fn run(self) {
        if thread::current().id() == self.2 {
            self.1.note(self.0, "on the caller's thread");
        }
        self.1.work(self.0);
    }
}

/// Checks a repair.
pub fn check(run_all: fn(Vec<Job>)) -> Verdict {
    judge("job", JOBS, |stage| {
        let seen = stage.clone();
        stage.watch(move || {
            let job = |number| Job(number, seen.clone(), thread::current().id());
            run_all((0..JOBS).map(job).collect());
        })?;
        let (begun, done, most) = (
            stage.count(None, "enter"),
            stage.count(None, "leave"),
            stage.most_inside(),
        );
        ensure!(begun > 0, "none of the {JOBS} jobs ran at all");
        let on_caller = stage.count(None, "on the caller's thread");
        ensure!(
            on_caller == 0,
            "{on_caller} of {JOBS} jobs ran on the thread that called `run_all`, not on one of their own"
        );
        ensure!(
            done > 0,
            "`run_all` returned when none of the {JOBS} jobs was done: nothing waited for them"
        );
        ensure!(
            done == JOBS,
            "`run_all` returned with {done} of {JOBS} jobs done: it did not wait for all of them"
        );
        ensure!(
            most == JOBS,
            "at most {most} of {JOBS} jobs were at work at once: job 2 began only when job 1 was done, so something waited for job 1 before it started job 2"
        );
        Ok(())
    })
}

mod shipped {
    use lab_drills::d01::Job;
    use std::thread;

    /// Runs each job on a thread of its own; when it returns, all jobs are done.
    pub(super) fn run_all(jobs: Vec<Job>) {
        for job in jobs {
            thread::spawn(move || job.run());
        }
    }
}

mod solution {
    use lab_drills::d01::Job;
    use std::thread;

    /// Runs each job on a thread of its own; when it returns, all jobs are done.
    pub(super) fn run_all(jobs: Vec<Job>) {
        let mut started = Vec::new();
        for job in jobs {
            started.push(thread::spawn(move || job.run()));
        }
        for thread in started {
            thread.join().unwrap();
        }
    }
}

mod solution_scope {
    pub(super) fn run_all(jobs: Vec<super::Job>) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(move || job.run());
            }
        });
    }
}

mod joins_at_once {
    pub(super) fn run_all(jobs: Vec<super::Job>) {
        for job in jobs {
            std::thread::spawn(move || job.run()).join().unwrap();
        }
    }
}

mod joins_the_last {
    pub(super) fn run_all(jobs: Vec<super::Job>) {
        let mut last = None;
        for job in jobs {
            last = Some(std::thread::spawn(move || job.run()));
        }
        last.unwrap().join().unwrap();
    }
}

mod serial {
    pub(super) fn run_all(jobs: Vec<super::Job>) {
        jobs.into_iter().for_each(super::Job::run);
    }
}
