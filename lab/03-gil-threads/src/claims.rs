//! Two threads that wait under a GIL, and what the run is to show.

use crate::{AT_ONCE, CHANGES, JOBS, SEQUENTIAL, THREADS, UNDER_GIL};
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
    let mut most_at_once = |name, at_once, wait: &dyn Fn()| {
        let bound = Bound::Waits {
            each: Some(WAIT),
            count: JOBS as usize,
            at_once,
        };
        lab.variant(name).other_work().bound(bound).run(wait)?;
        let most = lab.recording(name).most_open("wait");
        anyhow::Ok(lab.count(name, "most_waits_at_once", most))
    };
    let io = || io_wait_blocking(WAIT);
    let held = most_at_once(HOLDING, 1, &|| wait_holding_gil(JOBS, gil, io))?;
    let released = most_at_once(RELEASING, 2, &|| wait_releasing_gil(JOBS, gil, io))?;
    let text = "released around a wait, the GIL let both threads wait at once; held, one at a time";
    let line = "threads that waited at once: {left2} with the GIL held, {left} with it released";
    let overlap = Claim::that("waits_overlap", text).in_a_line(line);
    let overlap = overlap.check(released.equals(count(2)));
    lab.claim(overlap.check(held.equals(count(1))).headline());
    Ok(())
}

/// What the CPU work is to show.
pub(crate) fn work(lab: &mut Lab) {
    let text = "two threads did both jobs sooner than one, by a tenth or more";
    let help = Claim::that("threads_help", text)
        .check((wall(THREADS).below(wall(SEQUENTIAL) * (1.0 / MARGIN))).in_rounds())
        .in_a_line("two threads did both jobs in {left} instead of {right}")
        .needs_cpus();
    lab.claim(help.headline());
    let costs = lab.compare("gil_costs_the_gain", "two threads", [THREADS, UNDER_GIL]);
    lab.claim(costs.needs_cpus());
    let noted = |figure| Figure::<Count>::noted(Some(UNDER_GIL), figure);
    let text = "under the GIL one thread ran at a time, and it changed hands while both had work";
    let shared = Claim::that("gil_takes_turns", text)
        .check(noted(AT_ONCE).equals(count(1)))
        .check(noted(CHANGES).at_least(count(2)))
        .in_a_line("under the GIL {left} thread worked at a time; it changed hands {left2} times");
    lab.claim(shared.headline());
}
