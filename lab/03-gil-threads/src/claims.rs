//! Two threads that wait under a GIL, and what the run is to show.

use crate::{JOBS, SEQUENTIAL, THREADS, UNDER_GIL};
use common::{
    Bound, Lab, MARGIN,
    claim::{Claim, Count, Figure, count, wall},
};
use lab_03_gil_threads::{gil::Gil, wait_holding_gil, wait_releasing_gil};
use measure::workload::io_wait_blocking;
use std::time::Duration;

const WAIT: Duration = Duration::from_millis(100);
const HOLDING: &str = "waits, GIL held";
const RELEASING: &str = "waits, GIL released";

/// Waits with the GIL held, and with it released.
pub(crate) fn waits(lab: &mut Lab, gil: &Gil) -> anyhow::Result<()> {
    let io = || io_wait_blocking(WAIT);
    let bound = |at_once| Bound::Waits {
        each: Some(WAIT),
        count: JOBS as usize,
        at_once,
    };
    let held = lab.variant(HOLDING).other_work().bound(bound(1));
    held.run(|| wait_holding_gil(JOBS, gil, io))?;
    let released = lab
        .variant(RELEASING)
        .other_work()
        .bound(bound(JOBS as usize));
    released.run(|| wait_releasing_gil(JOBS, gil, io))?;
    let [held, released] = [HOLDING, RELEASING].map(|name| {
        let most = lab.recording(name).most_open("wait");
        lab.count(name, "most_waits_at_once", most)
    });
    let text = "released around a wait, the GIL let both threads wait at once; held, one at a time";
    let overlap = Claim::that("waits_overlap", text)
        .check(released.equals(count(2)))
        .check(held.equals(count(1)))
        .in_a_line(
            "threads that waited at once: {left2} with the GIL held, {left} with it released",
        );
    lab.claim(overlap.headline());
    Ok(())
}

/// What the CPU work is to show; given how many worked at once under the GIL, and how often it changed
/// hands.
pub(crate) fn work(lab: &mut Lab, [at_once, changes]: [Figure<Count>; 2]) {
    let text = "two threads did both jobs sooner than one, by a tenth or more";
    let help = Claim::that("threads_help", text)
        .check((wall(THREADS).below(wall(SEQUENTIAL) * (1.0 / MARGIN))).in_rounds())
        .in_a_line("two threads did both jobs in {left} instead of {right}")
        .needs_cpus();
    lab.claim(help.headline());
    let costs = lab.compare("gil_costs_the_gain", "two threads", [THREADS, UNDER_GIL]);
    lab.claim(costs.needs_cpus());
    let text = "under the GIL one thread ran at a time, and it changed hands while both had work";
    let shared = Claim::that("gil_takes_turns", text)
        .check(at_once.equals(count(1)))
        .check(changes.at_least(count(2)))
        .in_a_line("under the GIL {left} thread worked at a time; it changed hands {left2} times");
    lab.claim(shared.headline());
}
