//! The race for a counter, in many trials.

use anyhow::Context;
use common::{Bound, Lab, Measure, format};
use lab_12_race_conditions::{
    outcome::{COUNTS, Trials, kind_of_count, lines, table},
    trials::{
        Race, count_in_one_step, count_losing_updates_tight, count_losing_updates_widened,
        count_sequential,
    },
};
use serde::Serialize;
use std::io;

/// The counter: one thread alone, the tight and the widened race, the repair; then their table.
pub(crate) fn race_for_a_counter(lab: &mut Lab, race: Race, trials: usize) -> anyhow::Result<()> {
    let (threads, each) = (race.threads.get(), format::count(race.increments));
    lab.say(format!(
        "A counter: {threads} × {each} increments, {trials} trials of each kind …"
    ));
    let variant = lab.variant("one thread").bound(Bound::Work { workers: 1 });
    measure(variant, race, || Ok(vec![count_sequential(race)]))?;
    let work = || Bound::Work { workers: threads };
    let variant = lab.variant("tight").other_work().bound(work());
    let (tight, got) = measure(variant, race, || count_losing_updates_tight(race, trials))?;
    say_got(lab, "tight", race, &got);
    let variant = lab.variant("widened").other_work().bound(work());
    let (widened, got) = measure(variant, race, || count_losing_updates_widened(race, trials))?;
    say_got(lab, "widened", race, &got);
    let variant = lab.variant("one step").other_work().bound(work());
    let (repaired, got) = measure(variant, race, || count_in_one_step(race, trials))?;
    say_got(lab, "one step", race, &got);
    let ways = [
        ("tight", &tight),
        ("widened", &widened),
        ("one step", &repaired),
    ];
    let title = "What became of the increments, in how many of the trials";
    let table = table(title, &COUNTS, &ways);
    for line in lines(&table) {
        lab.say(format!("  {line}"));
    }
    lab.keep_table(table);
    Ok(())
}

/// Runs one kind of trial and sorts what came of it.
fn measure(
    variant: Measure<'_>,
    race: Race,
    count: impl FnOnce() -> io::Result<Vec<i64>>,
) -> anyhow::Result<(Trials, Vec<i64>)> {
    #[derive(Serialize)]
    struct Counted {
        #[serde(flatten)]
        sorted: Trials,
        expected: u64,
        lost_share: f64,
        got: Vec<i64>,
    }
    let threads = race.threads;
    let sort = || {
        let got = count()
            .with_context(|| format!("cannot start {threads} threads; try fewer `--threads`"))?;
        let all = race.expected() as f64 * got.len() as f64;
        Ok(Counted {
            sorted: Trials::sort(&COUNTS, &got, |got| kind_of_count(race, got)),
            expected: race.expected(),
            lost_share: 1.0 - got.iter().map(|got| *got as f64).sum::<f64>() / all,
            got,
        })
    };
    let counted = variant.run_counted(sort, |counted| counted.sorted.tally())?;
    Ok((counted.sorted, counted.got))
}

/// What the script prints, of the first trial.
fn say_got(lab: &Lab, way: &str, race: Race, got: &[i64]) {
    let got = got.first().copied().unwrap_or_default().max(0) as u64;
    lab.say(format!(
        "  {way}, first trial: Expected: {}, Got: {}",
        format::count(race.expected()),
        format::count(got)
    ));
}
