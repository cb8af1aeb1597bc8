//! The same answers awaited four ways, and what begins when.

use crate::args::Args;
use anyhow::Context;
use common::{Bound, Lab, Tally, format};
use lab_17_async_basics::{
    Answer, Call, Gauge, await_in_a_loop, count_begun, join_in_one_task, run_on_this_thread,
    spawn_blocking_each, spawn_each,
};
use serde::Serialize;
use std::{collections::HashSet, pin::Pin, sync::Arc};

pub(crate) const LOOP: &str = "await in a loop";
pub(crate) const JOIN: &str = "join";
pub(crate) const SPAWN: &str = "spawn";
pub(crate) const SPAWN_BLOCKING: &str = "spawn_blocking";

/// What one way of waiting brought.
#[derive(Serialize)]
struct Answers {
    numbers: Vec<usize>,
    peak_at_once: usize,
    threads_used: usize,
}

/// A way to wait; making the future begins nothing.
type Waiting = fn(Vec<Call>) -> Pin<Box<dyn Future<Output = Vec<Answer>>>>;

pub(crate) fn show(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    show_laziness(args, lab)?;
    let all = args.tasks.get();
    run(args, lab, LOOP, 1, |calls| Box::pin(await_in_a_loop(calls)))?;
    run(args, lab, JOIN, all, |calls| {
        Box::pin(join_in_one_task(calls))
    })?;
    run(args, lab, SPAWN, all, |calls| Box::pin(spawn_each(calls)))?;
    run(args, lab, SPAWN_BLOCKING, all, |calls| {
        Box::pin(spawn_blocking_each(calls))
    })
}

fn calls(args: &Args) -> (Vec<Call>, Arc<Gauge>) {
    let gauge = Arc::new(Gauge::default());
    let calls = (1..=args.tasks.get()).map(|number| Call {
        number,
        takes: args.delay.0,
        gauge: Arc::clone(&gauge),
    });
    (calls.collect(), gauge)
}

fn show_laziness(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let begun = run_on_this_thread(count_begun(calls(args).0)).context("cannot start a runtime")?;
    let made = begun.made;
    lab.say(format!(
        "futures made: {made}; calls begun: {}",
        begun.when_made
    ));
    lab.say(format!(
        "one awaited; calls begun: {}",
        begun.when_one_awaited
    ));
    lab.say(format!(
        "the others spawned, none of them awaited; calls begun: {}",
        begun.when_others_spawned
    ));
    lab.param("begun", begun);
    Ok(())
}

/// Runs the variant `name`, in which at most `at_once` answers are waited for at once.
fn run(
    args: &Args,
    lab: &mut Lab,
    name: &str,
    at_once: usize,
    waiting: Waiting,
) -> anyhow::Result<()> {
    let (calls, gauge) = calls(args);
    let count = calls.len();
    let bound = Bound::Waits {
        each: Some(args.delay.0),
        count,
        at_once,
    };
    let work = || {
        let answers = run_on_this_thread(waiting(calls)).context("cannot start a runtime")?;
        let threads: HashSet<_> = answers.iter().map(|answer| answer.thread).collect();
        Ok(Answers {
            numbers: answers.iter().map(|answer| answer.number).collect(),
            peak_at_once: gauge.peak(),
            threads_used: threads.len(),
        })
    };
    let variant = lab.variant(name).bound(bound);
    let answers = variant.run_counted(work, |all| Tally::all_done(all.numbers.len()))?;
    if !answers.numbers.iter().copied().eq(1..=count) {
        lab.fail(format!(
            "`{name}` brought the answers {:?}; please report this",
            answers.numbers
        ));
    }
    let elapsed = lab.wall(name).unwrap_or_default();
    lab.say(format!(
        "{name}: answers {count}, at once {}, threads {}, elapsed {}",
        answers.peak_at_once,
        answers.threads_used,
        format::seconds(elapsed)
    ));
    Ok(())
}
