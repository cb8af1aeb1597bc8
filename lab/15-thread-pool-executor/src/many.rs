//! Very many tasks: on the pool, and with a thread for each, as far as the limits allow.

use crate::{
    args::Args,
    ways::{self, Completed},
};
use anyhow::Context;
use common::{Lab, Tally, format};
use lab_15_thread_pool_executor::{
    Load, Task,
    crowd::{CROWD, Crowd, Gathered},
    limits::{Limit, limits_on_threads},
    run_on_pool,
};
use serde::Serialize;
use std::{num::NonZeroUsize, time::Duration};

pub(crate) const ON_A_POOL: &str = "many: pool";
pub(crate) const A_THREAD_EACH: &str = "many: threads";

/// The crowd is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Results without their list, which would be long.
#[derive(Serialize)]
struct Counted {
    results: usize,
    #[serde(skip)]
    completed: Completed,
}

pub(crate) fn on_a_pool(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let task = |number| Task {
        number,
        load: Load::Little(1000),
    };
    let tasks: Vec<Task> = (1..=args.many.get()).map(task).collect();
    let (count, workers) = (format::count(tasks.len() as u64), args.workers);
    let done = lab.variant(ON_A_POOL).other_work().run_counted(
        || {
            let mut in_order = Vec::with_capacity(tasks.len());
            run_on_pool(workers, &tasks, |done| in_order.push(done)).with_context(|| {
                format!("cannot start a pool of `{workers}` threads; lower --workers")
            })?;
            Ok(Counted {
                results: in_order.len(),
                completed: Completed {
                    in_order,
                    overtaking: 0,
                },
            })
        },
        |done| ways::tally(&tasks, &done.completed.in_order),
    )?;
    let results = format::count(done.results as u64);
    lab.say(format!(
        "{count} short tasks on a pool of {workers}: {results} results"
    ));
    Ok(())
}

/// How far it went, as the document has it.
#[derive(Serialize)]
struct Attempt {
    asked: usize,
    threads_at_once: usize,
    /// Why there were no more.
    refused: Option<String>,
    peak_rss_bytes: Option<u64>,
    rss_per_thread_bytes: Option<u64>,
    limits: Vec<Limit>,
}

/// Lets a thread for every task be there at once, in a process of its own; a refusal is a result.
///
/// Returns what stood in the way, in a line.
pub(crate) fn a_thread_each(args: &Args, lab: &mut Lab) -> anyhow::Result<Option<String>> {
    let asked = args.many.get();
    lab.say(format!(
        "a thread for each of {}, all there at once, in a process of their own …",
        format::count(asked as u64)
    ));
    let attempt = lab.variant(A_THREAD_EACH).other_work().run_counted(
        || Ok(attempt(asked)),
        |attempt| Tally {
            submitted: asked as u64,
            done: attempt.threads_at_once as u64,
            failed: (asked - attempt.threads_at_once) as u64,
            ..Tally::default()
        },
    )?;
    let each = attempt.rss_per_thread_bytes.map_or(String::new(), |bytes| {
        format!(", {} of memory for each", format::bytes(bytes as f64))
    });
    let started = format::count(attempt.threads_at_once as u64);
    lab.say(format!(
        "  threads at once in that process: {started}{each}"
    ));
    lab.say("  (the ledger below counts the threads of this process, and the memory of both)");
    let Some(refused) = attempt.refused else {
        return Ok(None);
    };
    lab.say(format!("  then: {refused}"));
    for Limit { name, value } in &attempt.limits {
        lab.say(format!("  limit: {name}: {}", format::count(*value)));
    }
    Ok(Some(format!("after {started} threads: {refused}")))
}

fn attempt(asked: usize) -> Attempt {
    let (gathered, lost) = match gather(asked) {
        Ok(gathered) => (Some(gathered), None),
        // How many there were is lost with the process.
        Err(error) => (None, Some(error.to_string())),
    };
    let started = gathered.as_ref().map_or(0, |gathered| gathered.started);
    let peak_rss_bytes = gathered
        .as_ref()
        .and_then(|gathered| gathered.peak_rss_bytes);
    Attempt {
        asked,
        threads_at_once: started,
        peak_rss_bytes,
        rss_per_thread_bytes: gathered.as_ref().and_then(memory_per_thread),
        refused: gathered.and_then(|gathered| gathered.refused).or(lost),
        limits: limits_on_threads(),
    }
}

fn memory_per_thread(gathered: &Gathered) -> Option<u64> {
    let of_threads = gathered
        .peak_rss_bytes?
        .checked_sub(gathered.before_rss_bytes?)?;
    of_threads.checked_div(gathered.started as u64)
}

fn gather(threads: usize) -> anyhow::Result<Gathered> {
    let pool = CROWD.pool_builder().workers(NonZeroUsize::MIN);
    let pool = pool.retries(0).timeout(PATIENCE).start()?;
    Ok(pool.call(Crowd { threads })?)
}
