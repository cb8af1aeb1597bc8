//! Shows threads start, interleave and be joined, and a panic come back from join.

mod claims;
mod flags;
mod way;

use common::{
    Lab, Step,
    claim::{Count, Figure},
    panics,
};
use flags::ThreadArgs;
use lab_11_threads_basics::{
    Plan, join, run_scoped, run_sequential, start_panicking, start_static,
};
use std::{process::ExitCode, thread};
use way::run;

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["advanced/01_threads_basics.py"],
    question: "two threads: who speaks when, and what does join wait for?",
    why: "Each thread goes through its own lines in order; how the threads' lines mix is for the \
          system to decide; do not rely on it. Join blocks the thread that calls it until \
          the other has ended, and returns what it made, or the panic that ended it. A scope joins \
          for you, so its threads may borrow; a spawned thread may outlive whoever started it, so it \
          must own what it uses.",
    remember: "In which order threads run is for the system to decide. `join` is how you know \
              that one has finished.",
    predict: (
        "no pauses: in which order do the lines come? Run it twice.",
        "cargo run -p lab-11-threads-basics -- --delay 0",
    ),
    sources: common::sources!["lib.rs", "notebook.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &ThreadArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (plan, panic_at) = (args.plan(), args.panic_at()?);
    lab.param("panic_at", panic_at);
    let (each, all) = (plan.iterations, plan.iterations * plan.threads.get());
    lab.say("sequential: one worker's part after the other's, on the main thread");
    let (sequential, _) = run(lab, plan, "sequential", all, |notebook| {
        (None, run_sequential(plan, notebook))
    })?;
    lab.say("scoped: threads that borrow, joined in their scope");
    let (scoped, _) = run(lab, plan, "scoped", each, |notebook| {
        (None, run_scoped(plan, notebook))
    })?;
    lab.say("'static: threads that own their share, joined by hand");
    let (owning, _) = run(lab, plan, "'static", each, |notebook| {
        (None, join(start_static(plan, notebook)))
    })?;
    lab.say("late join: main goes on to look at what there is, and joins only then");
    let screen = lab.screen();
    let (late, _) = run(lab, plan, "late join", each, |notebook| {
        let workers = start_static(plan, notebook);
        let lines = notebook.open();
        let made = lines.len();
        screen.say(format!("  main goes on: {made} of {all} iterations made"));
        drop(lines);
        (Some(made), join(workers))
    })?;
    lab.say("  main has joined");
    let panicked = panic_in_a_thread(lab, plan, panic_at)?;
    claims::claim(lab, plan, [sequential, scoped, owning, late], panicked);
    Ok(())
}

/// Has one thread panic, and prints what each join returned.
fn panic_in_a_thread(lab: &mut Lab, plan: Plan, panic_at: usize) -> anyhow::Result<Figure<Count>> {
    lab.say(format!(
        "panicking: the last thread panics in iteration {panic_at}"
    ));
    let longest = if plan.threads.get() == 1 {
        panic_at
    } else {
        plan.iterations
    };
    // The panic comes back from join as a value: nothing of it on the terminal.
    panics::keep_quiet(|_| is_worker());
    let (_, ends) = run(lab, plan, "panicking", longest, |notebook| {
        (None, join(start_panicking(plan, notebook, panic_at)))
    })?;
    for (letter, end) in ('A'..='Z').zip(&ends) {
        lab.say(match end {
            Ok(made) => format!("  join of worker {letter}: Ok, {made} iterations"),
            Err(panic) => format!("  join of worker {letter}: Err, it panicked: {panic}"),
        });
    }
    let panicked = ends.iter().filter(|end| end.is_err()).count();
    Ok(lab.count("panicking", "panics_that_join_returned", panicked))
}

fn is_worker() -> bool {
    let thread = thread::current();
    thread
        .name()
        .is_some_and(|name| name.starts_with("worker "))
}
