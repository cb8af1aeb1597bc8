//! Shows threads start, interleave and be joined, and a panic come back from join.

mod args;
mod claims;

use anyhow::Context;
use args::ThreadArgs;
use common::{Bound, Lab, Step, Tally, format::seconds};
use lab_11_threads_basics::{
    End, Line, Notebook, Plan, join, run_scoped, run_sequential, start_panicking, start_static,
};
use serde::Serialize;
use std::{io, process::ExitCode, sync::Arc};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/01_threads_basics.py"],
    question: "two threads: who speaks when, and what does join wait for?",
    why: "Each thread goes through its own lines in order; how the threads' lines mix is for the \
          system to decide, and nobody else's to rely on. Join blocks the thread that calls it until \
          the other has ended, and returns what it made, or the panic that ended it. A scope joins \
          for you, so its threads may borrow; a spawned thread may outlive whoever started it, so it \
          must own what it uses.",
    try_next: &[
        "cargo run -p lab-11-threads-basics -- --delay 0: now chance alone mixes the lines",
        "cargo run -p lab-11-threads-basics -- --threads 5: guess the order, then run it twice",
        "cargo run -p lab-11-threads-basics -- --panic-at 1: how far do the others come?",
        "cargo run -p lab-12-race-conditions: what goes wrong when threads share",
    ],
};

/// The part in which main does something before it joins.
const LATE_JOIN: &str = "late join";
/// The part in which a thread panics.
const PANICKING: &str = "panicking";

/// What one way of running the threads gave.
#[derive(Debug, Serialize)]
struct Told {
    /// Iterations that all threads together should make.
    iterations: usize,
    /// How many were made when the main thread went on.
    made_when_main_went_on: usize,
    /// How many were made in the end.
    made: usize,
    /// How often the next line was another thread's.
    changes: usize,
    /// Threads that ended in a panic.
    panicked: usize,
    /// What each thread's join returned: iterations, or the panic's words.
    ends: Vec<End>,
    /// The lines in the order in which they were written.
    lines: Vec<Line>,
}

impl Told {
    fn of(plan: Plan, notebook: &Notebook, made_when_main_went_on: usize, ends: Vec<End>) -> Self {
        Self {
            iterations: plan.threads.get() * plan.iterations,
            made_when_main_went_on,
            made: notebook.count(),
            changes: notebook.changes(),
            panicked: ends.iter().filter(|end| end.is_err()).count(),
            ends,
            lines: notebook.lines(),
        }
    }
}

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &ThreadArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (plan, panic_at) = (args.plan(), args.panic_at()?);
    lab.param("panic_at", panic_at);
    let (each, all) = (plan.iterations, plan.iterations * plan.threads.get());
    lab.say("sequential: one worker's part after the other's, on the main thread");
    run(lab, plan, "sequential", all, |notebook| {
        let ends = run_sequential(plan, notebook);
        Ok((notebook.count(), ends))
    })?;

    lab.say("scoped: threads that borrow, joined in their scope");
    let scoped = run(lab, plan, "scoped", each, |notebook| {
        let ends = run_scoped(plan, notebook)?;
        Ok((notebook.count(), ends))
    })?;

    lab.say("'static: threads that own their share, joined by hand");
    let owning = run(lab, plan, "'static", each, |notebook| {
        let ends = join(start_static(plan, notebook)?);
        Ok((notebook.count(), ends))
    })?;

    let late = join_late(lab, plan)?;
    let panicking = panic_in_a_thread(lab, plan, panic_at)?;
    let all = [&scoped, &owning, &late, &panicking];
    let joined: usize = all.iter().map(|told| told.ends.len()).sum();
    let started = all.len() * plan.threads.get();
    lab.say(format!("main: {joined} of {started} threads joined"));
    claims::add(lab, plan);
    Ok(())
}

/// Looks how far the threads are before it joins them.
fn join_late(lab: &mut Lab, plan: Plan) -> anyhow::Result<Told> {
    lab.say("late join: main goes on to look at what there is, and joins only then");
    let all = plan.iterations * plan.threads.get();
    let narrator = lab.screen();
    let told = run(lab, plan, LATE_JOIN, plan.iterations, |notebook| {
        let workers = start_static(plan, notebook)?;
        let made = notebook.look(|made| {
            narrator.say(format!("  main goes on: {made} of {all} iterations made"));
        });
        Ok((made, join(workers)))
    })?;
    lab.say(format!("  main has joined: {} of {all} made", told.made));
    Ok(told)
}

/// Has one thread panic, and prints what each join returned.
fn panic_in_a_thread(lab: &mut Lab, plan: Plan, panic_at: usize) -> anyhow::Result<Told> {
    lab.say(format!(
        "panicking: the last thread panics in iteration {panic_at}"
    ));
    let longest = if plan.threads.get() == 1 {
        panic_at
    } else {
        plan.iterations
    };
    let told = run(lab, plan, PANICKING, longest, |notebook| {
        let ends = join(start_panicking(plan, notebook, panic_at)?);
        Ok((notebook.count(), ends))
    })?;
    for (letter, end) in ('A'..='Z').zip(&told.ends) {
        lab.say(match end {
            Ok(made) => format!("  join of worker {letter}: Ok, {made} iterations"),
            Err(panic) => format!("  join of worker {letter}: Err, it panicked: {panic}"),
        });
    }
    Ok(told)
}

/// Runs the threads in one way, telling their lines as they come.
fn run(
    lab: &mut Lab,
    plan: Plan,
    name: &str,
    in_a_row: usize,
    way: impl FnOnce(&Arc<Notebook>) -> io::Result<(usize, Vec<End>)>,
) -> anyhow::Result<Told> {
    let narrator = lab.screen();
    let notebook = Arc::new(Notebook::telling(move |line: &Line| {
        narrator.say(format!("  [{}] iteration {}", line.worker, line.iteration));
    }));
    let threads = plan.threads;
    let work = || {
        let (made, ends) = way(&notebook)
            .with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))?;
        Ok(Told::of(plan, &notebook, made, ends))
    };
    let mut variant = lab.variant(name).bound(bound(plan, in_a_row));
    if name == PANICKING {
        // A thread that ends early leaves some of the work undone.
        variant = variant.other_work();
    }
    variant.run_counted(work, |told| Tally::of(&told.ends))
}

/// The waits that follow one another, which nothing shortens.
fn bound(plan: Plan, in_a_row: usize) -> Bound {
    Bound::Known {
        duration: plan.delay * in_a_row as u32,
        reason: format!("{in_a_row} waits of {} in a row", seconds(plan.delay)),
    }
}
