//! What the runs are to show.

use crate::{CRASH, PROCESSES, SEQUENTIAL, SLOWER_START_UP, THREADS};
use common::{
    Lab,
    claim::{
        Claim, Figure, Seconds, busy, done, failed, middle_wall, none_failed, processes, submitted,
        wall,
    },
    format,
    timeline::{LaneKind, START_UP, Span},
};
use process_pool::TaskError;
use std::time::Duration;

pub(crate) fn add(lab: &mut Lab) {
    let text = "in every variant both jobs counted all the way down";
    let all = Claim::that("all_counted", text);
    let ways = [SEQUENTIAL, THREADS, PROCESSES].into_iter();
    lab.claim(ways.fold(all, |claim, way| claim.check(done(way).equals(2))));
    lab.claim(overlap("threads_overlap", THREADS));
    lab.claim(overlap("processes_overlap", PROCESSES));
    let text = "threads did as well: the processes were not faster by a tenth";
    let as_well = Claim::that("threads_do_as_well", text)
        .check(wall(PROCESSES).at_least(wall(THREADS) * 0.9))
        .check(none_failed(THREADS))
        .check(none_failed(PROCESSES));
    lab.claim(as_well.needs_cpus());
    let text = "starting the slower process took less than a tenth of the time";
    let start_up = Figure::<Seconds>::noted(Some(PROCESSES), SLOWER_START_UP);
    let small = start_up.below(wall(PROCESSES) * 0.1);
    lab.claim(Claim::that("start_up_is_small", text).check(small));
    let recording = lab.recording(PROCESSES);
    let workers = recording.lanes.iter().filter(|lane| {
        let counts = lane.spans.iter().filter(|span| span.name == "count");
        lane.id.kind == LaneKind::Process && counts.count() == 1
    });
    let workers = lab.note(PROCESSES, "processes_with_one_job", workers.count());
    let text = "each job had a process of its own, none was this one";
    let apart = Claim::that("processes_apart", text).check(workers.equals(2));
    lab.claim(apart.check(processes(PROCESSES).equals(3)).headline());
}

fn overlap(name: &'static str, variant: &str) -> Claim {
    let text = format!("{variant}: less than 3/4 of the sequential time");
    // A wall time alone may be the chance of a machine that changes speed.
    let busy = (busy(variant) / middle_wall(variant)).above(1.2);
    Claim::that(name, text)
        .check(busy.in_words("{left} CPUs busy"))
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
            .check(submitted(CRASH).equals(2))
            .check(done(CRASH).equals(1))
            .check(failed(CRASH).equals(1))
            .headline(),
    );
}

/// How long the slower process of the latest run took to start.
pub(crate) fn slower_start_up(lab: &Lab, name: &str) -> Duration {
    let recording = lab.recording(name);
    let start_ups = recording.named(START_UP).map(Span::duration);
    start_ups.max().unwrap_or_default()
}

/// Prints how far a job counts while a process starts: shorter jobs are not worth a process.
pub(crate) fn say_break_even(lab: &Lab, steps: u64) {
    let recording = lab.recording(SEQUENTIAL);
    let all: Duration = recording.jobs().map(|job| job.busy).sum();
    if all.is_zero() {
        return;
    }
    let steps_per_s = steps as f64 * recording.jobs().count() as f64 / all.as_secs_f64();
    let start_up = slower_start_up(lab, PROCESSES);
    let millions = format::plain(start_up.as_secs_f64() * steps_per_s / 1e6);
    let start_up = format::seconds(start_up);
    lab.say(format!(
        "starting a process took {start_up}: time to count {millions} million steps"
    ));
}
