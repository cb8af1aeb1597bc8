//! All schedules of a program, observed and forced.

use crate::listing::{Forced, Observed};
use anyhow::Context;
use common::{Lab, Tally, format};
use lab_12_race_conditions::{program::Program, schedule::Schedule, stage};

/// Free runs of the listed program, half of them with the window held open.
const OBSERVED: usize = 400;

/// All schedules of `program`: those that real threads happened to take, then each forced on them.
pub(crate) fn list_schedules(
    lab: &mut Lab,
    asked: Program,
    program: Program,
) -> anyhow::Result<()> {
    let count = asked.schedules();
    lab.param("schedules_log10", count.log10);
    lab.say("In how many orders of their steps (schedules) can the threads run?");
    lab.say(format!("  {}: {count}", in_words(asked)));
    if program != asked {
        let count = program.schedules();
        lab.say("  That is too long a list. The smallest program with the same bug:");
        lab.say(format!("  {}: {count}", in_words(program)));
    }
    let observe = || {
        let half = OBSERVED / 2;
        let mut runs = stage::observe(program, half, false).context("cannot start the threads")?;
        runs.append(&mut stage::observe(program, OBSERVED - half, true)?);
        Ok(Observed::count(program, &runs))
    };
    let variant = lab.variant("observed").other_work();
    let observed = variant.run_counted(observe, |seen| Tally::all_done(seen.trials))?;
    lab.say("  Each, forced on real threads. ← marks those that also came up by themselves");
    lab.say(format!(
        "  in {OBSERVED} free runs, half of them with the window held open:"
    ));
    let forced = force(lab, program, &program.all_schedules())?;
    if program.steps() > Program::SMALLEST.steps() {
        lab.say("  (A0: A loads 0. A=1: A stores 1.)");
    }
    for line in forced.lines(&observed.seen) {
        lab.say(format!("  {line}"));
    }
    lab.say(format!("  {}", forced.by_result()));
    Ok(())
}

/// A program in words.
fn in_words(program: Program) -> String {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let (threads, each) = (program.threads.get() as u64, program.increments);
    let (one, other) = (plural(threads), plural(each));
    let each = format::count(each);
    format!("{threads} thread{one}, {each} increment{other} each (load, store)")
}

/// One schedule as the user wrote it.
pub(crate) fn force_one(lab: &mut Lab, schedule: &Schedule) -> anyhow::Result<()> {
    let program = schedule.program();
    let (threads, count) = (program.threads, program.schedules());
    lab.say(format!("{schedule}, forced on {threads} real threads …"));
    let forced = force(lab, program, std::slice::from_ref(schedule))?;
    for played in &forced.played {
        for (step, number) in played.steps.iter().zip(1..) {
            lab.say(format!("  {number}. {step}"));
        }
        lab.say(format!(
            "  Expected: {}, Got: {}",
            played.expected, played.result
        ));
    }
    lab.say(format!("Schedules of this program: {count}; this is one."));
    Ok(())
}

/// Plays schedules on real threads as the variant `forced`.
fn force(lab: &mut Lab, program: Program, all: &[Schedule]) -> anyhow::Result<Forced> {
    let play = || {
        let threads = program.threads;
        let played = stage::force(program, all)
            .with_context(|| format!("cannot start {threads} threads; try fewer"))?;
        Ok(Forced::compare(all, played))
    };
    lab.variant("forced")
        .other_work()
        .run_counted(play, Forced::tally)
}
