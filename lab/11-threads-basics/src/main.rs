//! Shows threads start, interleave and be joined, and a panic come back from join.

mod claims;
mod flags;

use claims::run;
use common::{Lab, Question, Step, panics};
use flags::Args;
use lab_11_threads_basics::{Plan, join, run_scoped, run_sequential, start_static};
use std::{process::ExitCode, thread};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "advanced/01_threads_basics.py (threading.Thread, join)",
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
    sources: common::sources!["lib.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Threads that pause: how many times as fast as one by one?";
    let ask = Question::faster("scoped", "sequential", text);
    lab.predict(ask, &["not faster", "twice", "more than that"], &[1.3, 2.5]);
    let (plan, panic_at) = (args.plan(), args.panic_at()?);
    lab.param("panic_at", panic_at);
    let all = plan.iterations * plan.threads.get();
    run(lab, plan, "sequential", |say, _| {
        (None, run_sequential(plan, say.as_ref()))
    })?;
    run(lab, plan, "scoped", |say, _| {
        (None, run_scoped(plan, say.as_ref()))
    })?;
    run(lab, plan, "'static", |say, _| {
        (None, join(start_static(plan, say, None)))
    })?;
    lab.say("late join: main goes on first, and joins afterwards");
    let screen = lab.screen();
    run(lab, plan, "late join", |say, lines| {
        let workers = start_static(plan, say, None);
        let said = lines.lock().unwrap();
        let made = said.len();
        screen.say(format!("  main goes on: {made} of {all} iterations made"));
        drop(said);
        (Some(made), join(workers))
    })?;
    lab.say("  main has joined");
    let panics = show_panic(lab, plan, panic_at)?;
    claims::claim(lab, plan, panics);
    Ok(())
}

/// Lets the last thread panic, prints what each join returns, and returns how many of them were panics.
fn show_panic(lab: &mut Lab, plan: Plan, panic_at: usize) -> anyhow::Result<usize> {
    // The panic comes back from join as a value: nothing of it on the terminal.
    panics::keep_quiet(|_| {
        let thread = thread::current();
        thread
            .name()
            .is_some_and(|name| name.starts_with("worker "))
    });
    lab.say(format!(
        "panicking: the last thread panics in iteration {panic_at}"
    ));
    let ends = run(lab, plan, "panicking", |say, _| {
        (None, join(start_static(plan, say, Some(panic_at))))
    })?;
    for (name, end) in ('A'..='Z').zip(&ends) {
        lab.say(match end {
            Ok(made) => format!("  join of worker {name}: Ok, {made} iterations"),
            Err(panic) => format!("  join of worker {name}: Err, it panicked: {panic}"),
        });
    }
    Ok(ends.iter().filter(|end| end.is_err()).count())
}
