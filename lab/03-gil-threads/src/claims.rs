//! What the run is to show, and two threads that wait under a GIL.

use crate::{JOBS, SEQUENTIAL, THREADS, UNDER_GIL};
use common::{
    Lab, Tally,
    claim::{Claim, Count, Figure},
};
use lab_03_gil_threads::{gil::Gil, wait_holding_gil, wait_releasing_gil};
use measure::workload::io_wait_blocking;
use std::time::Duration;

/// Waits with the GIL held, and with it released.
pub(crate) fn waits(lab: &mut Lab, gil: &Gil) -> anyhow::Result<()> {
    let io = || io_wait_blocking(Duration::from_millis(100));
    let mut most_at_once = |name, wait: &dyn Fn() -> Vec<()>| {
        let variant = lab.variant(name).other_work();
        variant.run_counted(|| Ok(wait()), |all| Tally::all_done(all.len()))?;
        let most = lab.recording(name).most_open("wait");
        anyhow::Ok(lab.note(name, "most_waits_at_once", most))
    };
    let held = most_at_once("waits, GIL held", &|| wait_holding_gil(JOBS, gil, io))?;
    let released = most_at_once("waits, GIL released", &|| wait_releasing_gil(JOBS, gil, io))?;
    let text = "released around a wait, the GIL let both threads wait at once; held, one at a time";
    let line = "threads that waited at once: {left2} with the GIL held, {left} with it released";
    let overlap = Claim::that("waits_overlap", text).in_a_line(line);
    let overlap = overlap.check(released.equals(2));
    lab.claim(overlap.check(held.equals(1)).headline());
    Ok(())
}

/// What the CPU work is to show.
pub(crate) fn work(lab: &mut Lab) {
    let help = lab.compare("threads_help", "threads, no GIL", [THREADS, SEQUENTIAL]);
    lab.claim(help.needs_cpus().headline());
    let costs = lab.compare("gil_costs_the_gain", "a GIL's cost", [THREADS, UNDER_GIL]);
    lab.claim(costs.needs_cpus());
    let noted = |figure| Figure::<Count>::noted(Some(UNDER_GIL), figure);
    let text = "under the GIL one thread ran at a time, and it changed hands while both had work";
    let line = "under the GIL {left} thread worked at a time; the GIL changed hands {left2} times";
    let shared = Claim::that("gil_takes_turns", text).in_a_line(line);
    let shared = shared.check(noted("most_turns_at_once").equals(1));
    let changes = noted("times_the_gil_changed_hands").at_least(2);
    lab.claim(shared.check(changes).headline());
}
