//! What the runs are to show.

use crate::{CRASH, PROCESSES, SEQUENTIAL, THREADS};
use common::{
    Lab,
    claim::{
        Claim, Figure, Seconds, busy, count, done, failed, middle_wall, none_failed, processes,
        submitted, times, wall,
    },
    timeline::LaneKind,
};
use process_pool::TaskError;

pub(crate) fn add(lab: &mut Lab, slower_start_up: Figure<Seconds>) {
    let all = Claim::that(
        "all_counted",
        "in every variant both jobs counted all the way down",
    );
    let ways = [SEQUENTIAL, THREADS, PROCESSES];
    lab.claim(
        ways.into_iter()
            .fold(all, |claim, way| claim.check(done(way).equals(count(2)))),
    );
    lab.claim(overlap("threads_overlap", THREADS));
    lab.claim(overlap("processes_overlap", PROCESSES));
    let text = "threads did as well: the processes were not faster by a tenth";
    let as_well = Claim::that("threads_do_as_well", text)
        .check(wall(PROCESSES).at_least(wall(THREADS) * 0.9))
        .check(none_failed(THREADS))
        .check(none_failed(PROCESSES));
    lab.claim(as_well);
    let text = "starting the slower process took less than a tenth of the time";
    let small = slower_start_up.below(wall(PROCESSES) * 0.1);
    lab.claim(Claim::that("start_up_is_small", text).check(small));
    let recording = lab.recording(PROCESSES);
    let workers = recording.lanes.iter().filter(|lane| {
        let counted = lane
            .spans
            .iter()
            .filter(|span| span.name == "count")
            .count();
        lane.id.kind == LaneKind::Process && counted == 1
    });
    let workers = lab.count(PROCESSES, "processes_with_one_job", workers.count());
    let apart = Claim::that(
        "processes_apart",
        "each job had a process of its own, none was this one",
    )
    .check(workers.equals(count(2)))
    .check(processes(PROCESSES).equals(count(3)));
    lab.claim(apart.headline());
}

fn overlap(name: &'static str, variant: &str) -> Claim {
    Claim::that(
        name,
        format!("`{variant}` took less than 3/4 of the sequential time"),
    )
    // A wall time alone may be the chance of a machine that changes speed.
    .check(
        (busy(variant) / middle_wall(variant))
            .above(times(1.2))
            .in_words("{left} CPUs busy"),
    )
    .check(wall(variant).below(wall(SEQUENTIAL) * 0.75))
    .needs_cpus()
    .headline()
}

pub(crate) fn add_crash(lab: &mut Lab, done_by: &[Result<u64, TaskError>]) {
    let how = match &done_by[0] {
        Err(TaskError::WorkerLost { exit, .. }) => format!(" by {exit}"),
        _ => String::new(),
    };
    let text = format!("one job's process died{how}; the other job's result is here");
    lab.claim(
        Claim::that("crash_is_contained", text)
            .check(submitted(CRASH).equals(count(2)))
            .check(done(CRASH).equals(count(1)))
            .check(failed(CRASH).equals(count(1)))
            .headline(),
    );
}
