//! What the runs are to show.

use super::{CRASH, PROCESSES, SEQUENTIAL, THREADS, pooled::InProcesses};
use common::{
    Experiment,
    experiment::claim::{Claim, number, of},
    process_pool::TaskError,
};

pub(crate) fn compare(lab: &mut Experiment) {
    lab.claim(
        Claim::that("in every variant both jobs counted all the way down")
            .check(of(SEQUENTIAL, "ledger.done").equals(number(2)))
            .check(of(THREADS, "ledger.done").equals(number(2)))
            .check(of(PROCESSES, "ledger.done").equals(number(2))),
    );
    for (variant, name) in [(THREADS, "threads"), (PROCESSES, "processes")] {
        let text = format!(
            "the jobs of the {name} overlapped: they took less than three quarters of the sequential time"
        );
        lab.claim(
            Claim::that(text)
                .check(of(variant, "walls_s").below(of(SEQUENTIAL, "walls_s").times(0.75)))
                .needs_cpus(),
        );
    }
    lab.claim(
        Claim::that("threads did as well: the processes were not done a tenth sooner")
            .check(of(PROCESSES, "walls_s").at_least(of(THREADS, "walls_s").times(0.9))),
    );
    lab.claim(
        Claim::that("the slower start-up took less than a tenth of the processes' time")
            .check(
                of(PROCESSES, "results.slower_startup_s").below(of(PROCESSES, "wall_s").times(0.1)),
            )
            .otherwise("the jobs are short beside it; a larger --scale makes them longer"),
    );
    lab.claim(
        Claim::that("each job had a process of its own, and none of them was this one")
            .check(of(PROCESSES, "results.processes_used").equals(number(2)))
            .check(of(PROCESSES, "ledger.processes").equals(number(3)))
            .otherwise("the first job was over before the second process asked for one"),
    );
}

pub(crate) fn crash(lab: &mut Experiment, done: &InProcesses) {
    let how = match &done.jobs[0] {
        Err(TaskError::WorkerLost { exit, .. }) => format!(" by {exit}"),
        _ => String::new(),
    };
    lab.claim(
        Claim::that(format!(
            "the process of one job died{how}, and the result of the other is here"
        ))
        .check(of(CRASH, "ledger.submitted").equals(number(2)))
        .check(of(CRASH, "ledger.done").equals(number(1)))
        .check(of(CRASH, "ledger.failed").equals(number(1)))
        .check(of(CRASH, "results.pool.workers_lost").equals(number(1))),
    );
}
