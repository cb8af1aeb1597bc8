//! Shows an increment lose updates: by force, with a widened window, and by chance.

mod claims;
mod flags;
mod outcome;

use claims::Lost;
use common::{Bound, Lab, Step, Tally};
use flags::RaceArgs;
use lab_06_race_condition::{
    Race, count_losing_updates_by_force, count_losing_updates_tight, count_losing_updates_widened,
    count_sequential,
};
use outcome::{Trials, table};
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: &["lab/06_race_condition_demo.py"],
    question: "two threads add to one counter: expected against got?",
    why: "An increment loads the counter, adds one and stores the sum. Between the load and the store \
          the value in hand can go stale; the store then overwrites what others have added meanwhile. \
          Each access by itself is atomic, the increment as a whole is not. How often it goes wrong \
          depends on timing: how wide that window is, how many CPUs there are and what else they \
          do. A run that comes out right says nothing about the next.",
    remember: "Adding one is three steps: load, add, store. If another thread stores in between, \
              its update is lost.",
    predict: (
        "8 threads instead of 2: is a larger share lost?",
        "cargo run -p lab-06-race-condition -- --threads 8",
    ),
    sources: common::sources!["lib.rs"],
};

fn main() -> ExitCode {
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &RaceArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let (race, trials) = (args.race()?, args.trials.get());
    let alone = Race {
        threads: NonZeroUsize::MIN,
        increments: race.expected(),
    };
    let once = Race {
        increments: 1,
        ..race
    };
    lab.say("sequential: one thread, the same load and store");
    let sequential = run(lab, "sequential", alone, || {
        vec![count_sequential(alone.increments)]
    })?;
    lab.say(sequential.0.first_line());
    lab.say("forced: each thread adds one; all load before any stores");
    let forced = run(lab, "forced", once, || {
        vec![count_losing_updates_by_force(race.threads)]
    })?;
    lab.say(forced.0.first_line());
    lab.say("widened: all threads at once, other work between load and store");
    let widened = run(lab, "widened", race, || {
        count_losing_updates_widened(race, 1)
    })?;
    lab.say(widened.0.first_line());
    lab.say(format!(
        "trials of that, and of a tight loop with nothing in between: {trials} each …"
    ));
    let wide = run(lab, "widened trials", race, || {
        count_losing_updates_widened(race, trials)
    })?;
    let tight = run(lab, "tight trials", race, || {
        count_losing_updates_tight(race, trials)
    })?;
    lab.table(table(&wide.0, &tight.0));
    claims::claim(
        lab,
        race,
        [sequential.1, forced.1, widened.1, wide.1, tight.1],
    );
    Ok(())
}

/// Runs one variant and notes what its trials lost.
fn run(
    lab: &mut Lab,
    name: &str,
    race: Race,
    count: impl FnOnce() -> Vec<u64>,
) -> anyhow::Result<(Trials, Lost)> {
    let workers = race.threads.get();
    let variant = lab.variant(name);
    let variant = match name {
        "sequential" => variant.bound(Bound::Work { workers }),
        "forced" => variant.other_work(),
        _ => variant.other_work().bound(Bound::Work { workers }),
    };
    let got = variant.run_counted(|| Ok(count()), |got| Tally::all_done(got.len()))?;
    let trials = Trials { race, got };
    let lost = Lost {
        updates: lab.count(name, "lost_updates", trials.lost() as usize),
        share: lab.ratio(name, "lost_share", trials.lost_share()),
        losing_trials: lab.count(name, "losing_trials", trials.losing()),
        most_counted: lab.count(name, "most_counted", trials.most() as usize),
        expected: race.expected(),
        trials: trials.got.len(),
    };
    Ok((trials, lost))
}
