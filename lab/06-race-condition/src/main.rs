//! Shows an increment lose updates: by force, with a widened window, and by chance.

mod claims;
mod flags;
mod games;

use common::{
    Bound, Lab, Question, Step, Tally,
    claim::{Figure, Ratio},
    format,
};
use flags::RaceArgs;
use games::games;
use interleave::play;
use lab_06_race_condition::{
    Race, count_losing_updates_by_force, count_losing_updates_tight, count_losing_updates_widened,
    count_sequential,
};
use std::{num::NonZeroUsize, process::ExitCode};

const STEP: Step = Step {
    package: env!("CARGO_PKG_NAME"),
    mirrors: "lab/06_race_condition_demo.py (counter += 1, no lock)",
    question: "two threads add to one counter: expected against got?",
    why: "Between the load and the store the value in hand can go out of date; the store then \
          overwrites what others have added meanwhile. Each access by itself is atomic, the \
          increment as a whole is not. How often it goes wrong depends on timing: how wide that \
          window is, how many CPUs there are and what else they do. A run that comes out right says \
          nothing about the next.",
    remember: "Adding one is three steps: load, add, store. What another thread stores in between \
              is lost. Trials may not show it.",
    predict: (
        "8 threads instead of 2: is a larger share lost?",
        "cargo run -p lab-06-race-condition -- --threads 8",
    ),
    sources: common::sources!["lib.rs"],
};

fn main() -> ExitCode {
    if let Some(code) = play::take(STEP.package, &games()) {
        return code;
    }
    STEP.run(&[], demonstrate)
}

fn demonstrate(args: &RaceArgs, lab: &mut Lab) -> anyhow::Result<()> {
    let text = "Threads load, wait and store: what share of all updates is lost?";
    let ask = Question::before(
        "widened",
        text,
        Figure::<Ratio>::noted(Some("widened"), "lost_share"),
        "{} of all updates lost",
    );
    lab.predict(ask, &["none", "under a tenth", "more"], &[1e-6, 0.1]);
    lab.legend(
        "forced: all threads load before any stores. widened: some work between load and store. \
         tight: the script's loop, nothing in between.",
    );
    let (race, trials) = (args.race()?, args.trials.get());
    let alone = Race {
        threads: NonZeroUsize::MIN,
        increments: race.expected(),
    };
    let once = Race {
        increments: 1,
        ..race
    };
    let threads = format::counted(race.threads.get(), "thread");
    let each = format::count(race.increments);
    lab.say(format!(
        "{threads}, each to add {each} to one counter; trials: {trials} …"
    ));
    let sequential = || vec![count_sequential(alone.increments)];
    let forced = || vec![count_losing_updates_by_force(race.threads)];
    let widened = || count_losing_updates_widened(race, trials);
    let tight = || count_losing_updates_tight(race, trials);
    let all = vec![
        run(lab, "sequential", alone, sequential)?,
        run(lab, "forced", once, forced)?,
        run(lab, "widened", race, widened)?,
        run(lab, "tight", race, tight)?,
    ];
    claims::show(lab, race, trials, all);
    Ok(())
}

/// Runs one variant; returns how many of its trials lost, and its row of the table.
fn run(
    lab: &mut Lab,
    name: &str,
    race: Race,
    count: impl Fn() -> Vec<u64>,
) -> anyhow::Result<(usize, Vec<String>)> {
    let variant = lab.variant(name);
    let variant = match name {
        "sequential" => variant.bound(Bound::Work { workers: 1 }),
        _ => variant.other_work(),
    };
    let got = variant.run_counted(|| Ok(count()), |got| Tally::all_done(got.len()))?;
    let skipped = || (0, vec![name.into(), "skipped".into()]);
    Ok(got.map_or_else(skipped, |got| claims::note(lab, name, race, &got)))
}
