//! Very many tasks: on the pool, and with a thread for each, all there at once.

use crate::{args::Args, ways::tally};
use common::{
    Lab, Recorded, Tally,
    claim::{Claim, count, done, peak_memory, threads},
    format,
};
use lab_15_thread_pool_executor::{
    Load, Task,
    crowd::{CROWD, Crowd},
    run_on_pool,
};
use std::{num::NonZeroUsize, time::Duration};

const ON_A_POOL: &str = "many: pool";
const THREADS: &str = "many: threads";

/// The crowd is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs very many short tasks on the pool; then lets a thread for each be there at once.
pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (asked, workers) = (args.many.get(), args.workers);
    let load = Load::Work(1000);
    let tasks: Vec<Task> = (1..=asked).map(|number| Task { number, load }).collect();
    let shown = format::count(asked as u64);
    lab.say(format!(
        "{shown} short tasks on the pool; then a thread for each, in a process of its own …"
    ));
    let pool = lab.variant(ON_A_POOL).other_work();
    pool.run_counted(
        || {
            let mut numbers = Vec::with_capacity(asked);
            run_on_pool(workers, &tasks, |done| numbers.push(done.number));
            Ok(numbers)
        },
        |numbers| tally(&tasks, numbers),
    )?;
    let text = format!("the pool did {shown} tasks on {workers} threads");
    let claim = Claim::that("a_pool_takes_any_number", text)
        .check(done(ON_A_POOL).equals(count(asked)))
        .check(threads(ON_A_POOL).at_most(count(workers.get() + 1)));
    lab.claim(claim.headline());
    let crowd = lab.variant(THREADS).other_work().run_counted(
        || Ok(gather(asked)),
        |crowd| Tally {
            submitted: asked as u64,
            done: crowd.started as u64,
            failed: (asked - crowd.started) as u64,
            ..Tally::default()
        },
    )?;
    claim_crowd(lab, asked, &crowd);
    Ok(())
}

fn claim_crowd(lab: &mut Lab, asked: usize, crowd: &Crowd) {
    let at_once = lab.count(THREADS, "threads_at_once", crowd.started);
    let text = format!(
        "{} threads at once fit this machine",
        format::count(asked as u64)
    );
    let fits = Claim::that("a_thread_each_fits", text).check(at_once.equals(count(asked)));
    let started = format::count(crowd.started as u64);
    lab.say(format!("  threads at once: {started}"));
    lab.claim(match &crowd.refused {
        None => fits,
        Some(reason) => fits.otherwise(format!("after {started} threads: {reason}")),
    });
    let text = "all those threads at once took over three times the memory of the pool";
    let more = peak_memory(THREADS).above(peak_memory(ON_A_POOL) * 3.0);
    lab.claim(Claim::that("threads_take_memory", text).check(more));
}

fn gather(threads: usize) -> Crowd {
    let pool = CROWD.pool_builder().workers(NonZeroUsize::MIN);
    let pool = pool.timeout(PATIENCE).recorded().start();
    let called = pool
        .map_err(anyhow::Error::from)
        .and_then(|pool| Ok(pool.call(threads)?));
    // How many there were is lost with the process.
    called.unwrap_or_else(|error| Crowd {
        refused: Some(error.to_string()),
        ..Crowd::default()
    })
}
