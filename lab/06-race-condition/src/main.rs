//! Shows an increment lose updates: by force, with a widened window, and by chance.

mod args;

use args::RaceArgs;
use common::{
    Bound, Experiment, Step,
    experiment::claim::{Claim, number, of, top},
};
use lab_06_race_condition::{
    Race, count_losing_updates_by_force, count_losing_updates_tight, count_losing_updates_widened,
    count_sequential,
    outcome::{Count, Trials, table},
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
    let (threads, trials) = (race.threads, args.trials.get());
    let (bound, expected) = (Bound::Work { workers: threads.get() }, race.expected());

    lab.say("sequential: one thread, load and store");
    let alone = lab
        .variant("sequential")
        .bound(Bound::Work { workers: 1 })
        .run_counted(|| Ok(Count::of(expected, count_sequential(expected))), Count::tally)?;
    lab.say(alone.line());

    lab.say(format!("forced: {threads} threads; all have loaded before any stores"));
    let forced = lab
        .variant("forced")
        .other_work()
        .run_counted(|| Ok(Forced::of(count_losing_updates_by_force(threads)?)), |forced| forced.count.tally())?;
    lab.say(forced.line());

    lab.say(format!("widened: {threads} threads, other work between load and store"));
    let widened = lab
        .variant("widened")
        .other_work()
        .bound(bound.clone())
        .run_counted(|| {
            let counts = count_losing_updates_widened(race, 1)?;
            Ok(Count::of(expected, counts[0]))
        }, Count::tally)?;
    lab.say(widened.line());

    lab.say(format!("{trials} trials like that, and {trials} of a tight loop, with nothing in between"));
    let measure = |lab: &mut Experiment, name, count: fn(Race, usize) -> io::Result<Vec<u64>>| {
        lab.variant(name).other_work().bound(bound.clone())
            .run_counted(|| Ok(Trials::sort(expected, count(race, trials)?)), Trials::tally)
    };
    let widened = measure(lab, "widened trials", count_losing_updates_widened)?;
    let tight = measure(lab, "tight trials", count_losing_updates_tight)?;
    for line in table(&[("widened", &widened), ("tight", &tight)]) {
        lab.say(format!("  {line}"));
    }
    claim(lab, race, &tight);
    Ok(())
}

/// Judges what the races show.
fn claim(lab: &mut Experiment, race: Race, tight: &Trials) {
    let alone = race.threads.get() == 1;
    let with_others = |claim: Claim| if alone {
        claim.otherwise("one thread has nobody to race with")
    } else { claim };
    lab.claim(
        Claim::that("one thread alone loses nothing with the very same load and store")
            .check(of("sequential", "results.lost").equals(number(0))),
    );
    lab.claim(with_others(
        Claim::that("where all load before any stores, one update is left of all: no luck involved")
            .check(of("forced", "results.count.got").equals(number(1)))
            .check(of("forced", "results.count.lost").above(number(0))),
    ));
    lab.claim(with_others(
        Claim::that("with a wide window updates were lost in every trial")
            .check(of("widened", "results.lost").above(number(0)))
            .check(of("widened trials", "results.losing").equals(top("params.trials"))),
    ));
    lab.claim(
        Claim::that("the tight loop loses updates too, in one trial at least")
            .check(of("tight trials", "results.losing").above(number(0)))
            .needs_cpus()
            .otherwise(if alone { .. } format!("all {} trials came out right this time, which says nothing about the next", tight.trials)),
    );
    lab.claim(
        Claim::that("a wider window loses a larger share of the updates")
    );
    lab.claim(
        Claim::that("the error has one direction: no trial counted more than it should")
            .check(of("widened trials", "results.most_got").at_most(of("widened trials", "results.expected")))
            .check(of("tight trials", "results.most_got").at_most(of("tight trials", "results.expected"))),
    );
}
