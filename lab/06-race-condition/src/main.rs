//! Shows an increment lose updates: by force, with a widened window, and by chance.

mod args;

use args::RaceArgs;
use common::{
    Bound, Experiment, Step,
    experiment::{
        Measure,
        claim::{Claim, number, of, top},
    },
};
use lab_06_race_condition::{
    Race, count_losing_updates_by_force, count_losing_updates_tight, count_losing_updates_widened,
    count_sequential,
    outcome::{Trials, table},
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

fn demonstrate(args: &RaceArgs, lab: &mut Experiment) -> anyhow::Result<()> {
    let race = args.race()?;
    let (threads, trials) = (race.threads.get(), args.trials.get());

    lab.say("sequential: one thread, the same load and store");
    let alone = race.on_one_thread();
    let variant = lab.variant("sequential").bound(Bound::Work { workers: 1 });
    let counted = measure(variant, alone, || {
        Ok(vec![count_sequential(alone.increments)])
    })?;
    lab.say(counted.first_line());

    lab.say(format!(
        "forced: {threads} threads, each adds one; all load before any stores"
    ));
    let once = Race {
        increments: 1,
        ..race
    };
    let counted = measure(lab.variant("forced").other_work(), once, || {
        Ok(vec![count_losing_updates_by_force(race.threads)?])
    })?;
    lab.say(counted.first_line());

    lab.say(format!(
        "widened: {threads} threads, other work between load and store"
    ));
    let bound = Bound::Work { workers: threads };
    let variant = lab.variant("widened").other_work().bound(bound.clone());
    let counted = measure(variant, race, || count_losing_updates_widened(race, 1))?;
    lab.say(counted.first_line());

    lab.say(format!(
        "{trials} trials of that, and of a tight loop with nothing in between …"
    ));
    let variant = lab
        .variant("widened trials")
        .other_work()
        .bound(bound.clone());
    let widened = measure(variant, race, || count_losing_updates_widened(race, trials))?;
    let variant = lab.variant("tight trials").other_work().bound(bound);
    let tight = measure(variant, race, || count_losing_updates_tight(race, trials))?;
    for line in table(&[("widened", &widened), ("tight", &tight)]) {
        lab.say(format!("  {line}"));
    }
    claim(lab, race, trials);
    Ok(())
}

/// Runs one variant and sorts what its trials counted.
fn measure(
    variant: Measure<'_>,
    race: Race,
    count: impl FnOnce() -> io::Result<Vec<u64>>,
) -> anyhow::Result<Trials> {
    variant.run_counted(|| Ok(Trials::sort(race, count()?)), Trials::tally)
}

/// Says what the races are to show; their figures decide.
fn claim(lab: &mut Experiment, race: Race, trials: usize) {
    let losing = |variant| of(variant, "results.losing");
    let figure = |variant, name: &str| of(variant, format!("results.{name}"));
    let racing = |claim: Claim, otherwise: &str| match race.threads.get() {
        1 => claim.otherwise("one thread has nobody to race with"),
        _ => claim.otherwise(otherwise),
    };
    lab.claim(
        Claim::that("one thread alone loses nothing with the same load and store")
            .check(losing("sequential").equals(number(0))),
    );
    lab.claim(racing(
        Claim::that("all load before any stores: one update stays, whatever the timing")
            .check(figure("forced", "most_got").equals(number(1)))
            .check(losing("forced").equals(number(1))),
        "not all threads met",
    ));
    lab.claim(racing(
        Claim::that("held open, the window lost updates in every trial")
            .check(losing("widened").equals(number(1)))
            .check(losing("widened trials").equals(top("params.trials"))),
        "a thread with little to do can be through before the next one runs",
    ));
    lab.claim(racing(
        Claim::that(format!(
            "the tight loop lost updates too, in at least one of {trials} trials"
        ))
        .check(losing("tight trials").above(number(0)))
        .needs_cpus(),
        "that all came out right says nothing about the next time",
    ));
    lab.claim(racing(
        Claim::that("the wider window lost the larger share of the updates").check(
            figure("widened trials", "lost_share").above(figure("tight trials", "lost_share")),
        ),
        "both were hit as hard",
    ));
    lab.claim(
        Claim::that("the error has one direction: no trial counted more than it should")
            .check(
                figure("widened trials", "most_got").at_most(figure("widened trials", "expected")),
            )
            .check(figure("tight trials", "most_got").at_most(figure("tight trials", "expected"))),
    );
}
