//! Two threads that wait under a GIL, the reader's Python, and what the run is to show.

use crate::{AT_ONCE, CHANGES, JOBS, SEQUENTIAL, THREADS, UNDER_GIL, flags::Args, python::Python};
use anyhow::ensure;
use common::{
    Bound, Lab, MARGIN, Measure, Tally,
    claim::{Claim, Count, Figure, busy, count, middle_wall, wall},
    cli::Usage,
    format,
};
use lab_03_gil_threads::{gil::Gil, wait_holding_gil, wait_releasing_gil};
use measure::workload::io_wait_blocking;
use std::{path::Path, time::Duration};

const HOLDING: &str = "waits, GIL held";
const RELEASING: &str = "waits, GIL released";

/// Waits with the GIL held, and with it released.
pub(crate) fn waits(lab: &mut Lab, gil: &Gil) -> anyhow::Result<()> {
    let mut most_at_once = |name, wait: &dyn Fn()| {
        let waiting = lab.variant(name).other_work();
        let wait = || {
            wait();
            Ok(())
        };
        waiting.run_counted(wait, |()| Tally::all_done(1))?;
        let most = lab.recording(name).most_open("wait");
        anyhow::Ok(lab.count(name, "most_waits_at_once", most))
    };
    let io = || io_wait_blocking(Duration::from_millis(100));
    let held = most_at_once(HOLDING, &|| wait_holding_gil(JOBS, gil, io))?;
    let released = most_at_once(RELEASING, &|| wait_releasing_gil(JOBS, gil, io))?;
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
    let costs = lab.compare("gil_costs_the_gain", "a GIL's cost", [THREADS, UNDER_GIL]);
    lab.claim(costs.needs_cpus());
    let noted = |figure| Figure::<Count>::noted(Some(UNDER_GIL), figure);
    let text = "under the GIL one thread ran at a time, and it changed hands while both had work";
    let shared = Claim::that("gil_takes_turns", text)
        .check(noted(AT_ONCE).equals(count(1)))
        .check(noted(CHANGES).at_least(count(2)))
        .in_a_line(
            "under the GIL {left} thread worked at a time; the GIL changed hands {left2} times",
        );
    lab.claim(shared.headline());
}

const PYTHON: [&str; 2] = ["python sequential", "python threads"];

/// Starts the Python that the flags name, or else the PATH's `python3`, if there is one.
pub(crate) fn open_python(args: &Args, lab: &mut Lab) -> anyhow::Result<Option<Python>> {
    if args.no_python {
        return Ok(None);
    }
    let path = args.python.as_deref().unwrap_or(Path::new("python3"));
    match Python::find(path, args.work.get() as u64) {
        Ok(python) => {
            let (title, steps) = (&python.title, format::count(python.steps));
            lab.say(format!("{title}: a job is {steps} products"));
            lab.param("python_is", title);
            lab.param("python_products", python.steps);
            Ok(Some(python))
        }
        Err(error) if args.python.is_some() => {
            let way_out = "name a Python 3, or leave it out with --no-python";
            Err(Usage(format!("--python: {error:#}; {way_out}")).into())
        }
        Err(error) => {
            let way_out = "--python PATH names another";
            lab.say(format!("Your Python does not run: {error:#}; {way_out}"));
            Ok(None)
        }
    }
}

/// Has Python do both jobs in both ways.
pub(crate) fn python(python: &Python, lab: &mut Lab) -> anyhow::Result<()> {
    let (mut sums, workers) = (Vec::new(), if python.has_gil { 1 } else { 2 });
    for (way, workers) in [(0, 1), (1, workers)] {
        let variant = lab.variant(PYTHON[way]).other_work();
        let jobs = || python.do_jobs(["sequential", "threads"][way]);
        add_up(variant, workers, &mut sums, jobs)?;
    }
    Ok(())
}

/// Runs both jobs; the sums that come first are right.
pub(crate) fn add_up(
    variant: Measure<'_>,
    workers: usize,
    right: &mut Vec<u64>,
    jobs: impl FnMut() -> anyhow::Result<Vec<u64>>,
) -> anyhow::Result<()> {
    let is_right = |sum: &u64| right.is_empty() || right.contains(sum);
    let tally = |sums: &Vec<u64>| Tally::of_checked(sums, is_right);
    let bound = Bound::Work { workers };
    // Nothing where the reader skips it.
    if let Some(sums) = variant.bound(bound).run_counted(jobs, tally)? {
        ensure!(right.is_empty() || *right == sums, "other sums on threads");
        *right = sums;
    }
    Ok(())
}

/// Claims what its threads did, beside whether it says that it has a GIL.
pub(crate) fn python_work(python: &Python, lab: &mut Lab) {
    let verdict = lab.compare(
        "python_verdict",
        ["Python, no GIL", "Python"][usize::from(python.has_gil)],
        PYTHON,
    );
    lab.claim(verdict.headline());
    if python.has_gil {
        let text = "with its GIL, Python kept no more than one CPU busy on two threads, a tenth over at most";
        let one = busy(PYTHON[1]).at_most(middle_wall(PYTHON[1]) * 1.1);
        lab.claim(Claim::that("python_on_one_cpu", text).check(one));
    }
}
