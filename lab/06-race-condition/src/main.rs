//! Shows an increment lose updates: by force, with a widened window, and by chance.

mod args;
mod claims;

use anyhow::Context;
use args::RaceArgs;
use common::{Bound, Lab, Measure, Step};
use lab_06_race_condition::{
    Race, count_losing_updates_by_force, count_losing_updates_tight, count_losing_updates_widened,
    count_sequential,
    outcome::{Trials, lines, table},
};
use std::{io, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/06_race_condition_demo.py"],
    question: "two threads add to one counter: expected against got?",
    why: "An increment loads the counter, adds one and stores the sum. Between the load and the store \
          the value in hand can go stale; the store then overwrites what others have added meanwhile. \
          Each access by itself is atomic, the increment as a whole is not. How often it goes wrong \
          depends on timing: how wide that window is, how many CPUs there are and what else they \
          do. A run that comes out right says nothing about the next.",
    try_next: &[
        "cargo run -p lab-06-race-condition -- --threads 8: what share is lost now?",
        "taskset -c 0 cargo run -p lab-06-race-condition: what becomes of the tight loop on one CPU?",
        "cargo run -p lab-06-race-condition -- --increments 1000: how rare can the bug get?",
        "cargo run -p lab-07-locks: the race repaired, and what each repair costs",
    ],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &RaceArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (race, trials) = (args.race()?, args.trials.get());
    race_once(lab, race)?;

    lab.say(format!(
        "trials of that, and of a tight loop with nothing in between: {trials} each …"
    ));
    let work = || Bound::Work {
        workers: race.threads.get(),
    };
    let variant = lab.variant("widened trials").other_work().bound(work());
    let widened = measure(variant, race, || count_losing_updates_widened(race, trials))?;
    let variant = lab.variant("tight trials").other_work().bound(work());
    let tight = measure(variant, race, || count_losing_updates_tight(race, trials))?;
    let table = table(&[("widened", &widened), ("tight", &tight)]);
    for line in lines(&table) {
        lab.say(format!("  {line}"));
    }
    lab.keep_table(table);
    claims::add(lab, race, trials);
    Ok(())
}

/// One thread alone, a race with a certain end, and the script's race, each once.
fn race_once(lab: &mut Lab, race: Race) -> anyhow::Result<()> {
    let (threads, alone) = (race.threads.get(), race.on_one_thread());
    lab.say("sequential: one thread, the same load and store");
    let variant = lab.variant("sequential").bound(Bound::Work { workers: 1 });
    let count = || Ok(vec![count_sequential(alone.increments)]);
    let counted = measure(variant, alone, count)?;
    lab.say(counted.first_line());

    lab.say("forced: each thread adds one; all load before any stores");
    let (variant, increments) = (lab.variant("forced").other_work(), 1);
    let count = || Ok(vec![count_losing_updates_by_force(race.threads)?]);
    let counted = measure(variant, Race { increments, ..race }, count)?;
    lab.say(counted.first_line());

    lab.say("widened: all threads at once, other work between load and store");
    let work = Bound::Work { workers: threads };
    let variant = lab.variant("widened").other_work().bound(work);
    let counted = measure(variant, race, || count_losing_updates_widened(race, 1))?;
    lab.say(counted.first_line());
    Ok(())
}

/// Runs one variant and sorts what its trials counted.
fn measure(
    variant: Measure<'_>,
    race: Race,
    count: impl FnOnce() -> io::Result<Vec<u64>>,
) -> anyhow::Result<Trials> {
    let threads = race.threads;
    let counts = || {
        count().with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))
    };
    variant.run_counted(|| Ok(Trials::sort(race, counts()?)), Trials::tally)
}
