//! What the runs are to show.

use crate::{CRASH, Figures, PROCESSES, SEQUENTIAL, THREADS, pooled::InProcesses};
use common::{
    Lab,
    claim::{Claim, busy, count, done, failed, middle_wall, none_failed, submitted, times, wall},
};
use process_pool::TaskError;

pub(crate) fn claim(lab: &mut Lab, figures: Figures) {
    let all = Claim::that(
        "all_counted",
        "in every variant both jobs counted all the way down",
    );
    let ways = [SEQUENTIAL, THREADS, PROCESSES];
    lab.claim(
        ways.into_iter()
            .fold(all, |claim, way| claim.check(done(way).equals(count(2)))),
    );
    lab.claim(overlap("threads_overlap", THREADS, "threads").headline());
    lab.claim(overlap("processes_overlap", PROCESSES, "processes").headline());
    lab.claim(
        Claim::that(
            "threads_do_as_well",
            "threads did as well: the processes were not done a tenth sooner",
        )
        .check(wall(PROCESSES).at_least(wall(THREADS) * 0.9))
        .check(none_failed(THREADS))
        .check(none_failed(PROCESSES)),
    );
    lab.claim(
        Claim::that(
            "start_up_is_small",
            "the slower start-up took less than a tenth of the processes' time",
        )
        .check(figures.slower_start_up.below(wall(PROCESSES) * 0.1)),
    );
    lab.claim(
        Claim::that(
            "processes_apart",
            "each job had a process of its own, and none of them was this one",
        )
        .check(figures.processes_with_a_job.equals(count(2)))
        .check(figures.jobs_in_this_process.equals(count(0)))
        .headline(),
    );
}

fn overlap(name: &'static str, variant: &str, jobs_of: &str) -> Claim {
    let text = format!(
        "the jobs of the {jobs_of} overlapped: they took less than three quarters of the sequential time"
    );
    Claim::that(name, text)
        // A wall time alone may be the chance of a machine that changes speed.
        .check(
            (busy(variant) / middle_wall(variant))
                .above(times(1.2))
                .in_words("they kept {left} CPUs busy"),
        )
        .check(wall(variant).below(wall(SEQUENTIAL) * 0.75))
        .needs_cpus()
}

pub(crate) fn claim_crash(lab: &mut Lab, last: &InProcesses) {
    let how = match &last.jobs[0] {
        Err(TaskError::WorkerLost { exit, .. }) => format!(" by {exit}"),
        _ => String::new(),
    };
    let lost = lab.count(CRASH, "workers_lost", last.pool.workers_lost as usize);
    let text = format!("the process of one job died{how}, and the result of the other is here");
    lab.claim(
        Claim::that("crash_is_contained", text)
            .check(submitted(CRASH).equals(count(2)))
            .check(done(CRASH).equals(count(1)))
            .check(failed(CRASH).equals(count(1)))
            .check(lost.equals(count(1)))
            .headline(),
    );
}
