//! What the runs are to show.

use super::{CRASH, PROCESSES, SEQUENTIAL, THREADS, pooled::InProcesses};
use common::{
    Lab,
    claim::{Claim, number, of, ratio},
    format,
};
use process_pool::TaskError;

pub(crate) fn compare(lab: &mut Lab, last: &InProcesses) {
    lab.claim(
        Claim::that("in every variant both jobs counted all the way down")
            .check(of(SEQUENTIAL, "ledger.done").equals(number(2)))
            .check(of(THREADS, "ledger.done").equals(number(2)))
            .check(of(PROCESSES, "ledger.done").equals(number(2))),
    );
    lab.claim(overlap(THREADS, "threads"));
    let overlapped = overlap(PROCESSES, "processes");
    lab.claim(match startup_reason(lab, last) {
        Some(reason) => overlapped.otherwise(reason),
        None => overlapped,
    });
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
            .check(of(PROCESSES, "ledger.processes").at_least(number(3))),
    );
}

/// What starting the processes took, where that is more than a twentieth of the whole.
fn startup_reason(lab: &Lab, last: &InProcesses) -> Option<String> {
    let wall_s = lab.wall(PROCESSES)?.as_secs_f64();
    let startup = format::seconds_f64(last.slower_startup_s);
    (last.slower_startup_s > 0.05 * wall_s)
        .then(|| format!("in the last round the slower start-up took {startup}"))
}

fn overlap(variant: &str, name: &str) -> Claim {
    Claim::that(format!(
        "the jobs of the {name} overlapped: they took less than three quarters of the sequential time"
    ))
    // A wall time alone may be the chance of a machine that changes speed.
    .check(ratio(of(variant, "busy_s"), of(variant, "wall_s")).above(number(1.2)))
    .check(of(variant, "walls_s").below(of(SEQUENTIAL, "walls_s").times(0.75)))
    .needs_cpus()
}

pub(crate) fn crash(lab: &mut Lab, done: &InProcesses) {
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
