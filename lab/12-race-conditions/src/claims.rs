//! How often each race goes wrong in trials, in how many orders of its steps, and what that shows.

use crate::{
    Args,
    programs::{STEPS, audit, counter, has_a_store_in_a_window, withdrawals},
};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Claim, Count, Figure, count},
    format,
};
use interleave::{Played, Schedule, explore, force};
use lab_12_race_conditions::trials::{self, BALANCE, Mode, PAYMENT};
use std::{num::NonZeroUsize, slice};

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

const MODES: [Mode; 3] = [Mode::Tight, Mode::Widened, Mode::Repaired];

/// How many trials of a race went wrong, tight, widened and repaired, and how many there were.
pub(crate) type Odds = ([usize; 3], usize);

/// The counter: one thread alone, the tight and the widened race, the repair.
pub(crate) fn try_the_counter(args: &Args, lab: &mut Lab) -> anyhow::Result<Odds> {
    let (threads, increments) = (args.threads, args.increments.get() as u64);
    let (trials, all) = (args.trials.get(), increments * threads.get() as u64);
    let [each, expected] = [increments, all].map(format::count);
    lab.say(format!(
        "a counter: {threads} × {each} increments, {trials} trials each way …"
    ));
    let alone = lab.variant("one thread").bound(Bound::Work { workers: 1 });
    let got = alone.run(|| trials::count(NonZeroUsize::MIN, all, Mode::Tight, 1)[0])?;
    let lost = got.map_or(0, |got| all.abs_diff(got as u64) as usize);
    let lost = lab.count("one thread", "lost_updates", lost);
    let text = "one thread alone lost nothing with the same load and store";
    lab.claim(Claim::that("one_thread_loses_nothing", text).check(lost.equals(count(0))));
    let mut wrong = [0; 3];
    for (at, name) in ["tight", "widened", "one step"].into_iter().enumerate() {
        let workers = threads.get();
        let variant = lab.variant(name).other_work();
        let got = variant.bound(Bound::Work { workers }).run_counted(
            || Ok(trials::count(threads, increments, MODES[at], trials)),
            |got| Tally::all_done(got.len()),
        )?;
        let got = got.unwrap_or_default();
        let first = got.first().map(|first| format::count(first.unsigned_abs()));
        let first = first.unwrap_or_else(|| "–".into());
        lab.say(format!("  {name}: Expected: {expected}, Got: {first}"));
        wrong[at] = got.iter().filter(|got| **got != all as i64).count();
        let lossy = lab.count(name, "trials_that_lost_updates", wrong[at]);
        let claim = about(MODES[at], lossy, trials);
        lab.claim(match workers {
            1 => claim.otherwise("one thread has no other to race with"),
            _ => claim,
        });
    }
    Ok((wrong, trials))
}

/// What is claimed of the trials that lost updates.
fn about(mode: Mode, lossy: Figure<Count>, trials: usize) -> Claim {
    match mode {
        Mode::Tight => {
            let text = "the tight loop lost updates in one trial or more";
            let claim = Claim::that("tight_loop_loses", text).needs_cpus();
            claim.check(lossy.above(count(0)))
        }
        Mode::Widened => {
            let text = "the widened race lost updates in every trial";
            let line = "the widened race lost updates in {left} of {right} trials";
            let claim = Claim::that("widened_window_loses", text).in_a_line(line);
            claim.check(lossy.equals(count(trials))).headline()
        }
        Mode::Repaired => {
            let text = "in one step, no trial lost an update";
            Claim::that("one_step_loses_nothing", text).check(lossy.equals(count(0)))
        }
    }
}

/// Check-then-act, and two locks with one invariant.
pub(crate) fn try_the_bank(lab: &mut Lab, trials: usize) -> anyhow::Result<[Odds; 2]> {
    let trials = trials * SHORT_TRIALS;
    lab.say(format!(
        "an account, and two under audit: {trials} trials each way …"
    ));
    let text = "check and act in one section, and both locks at once: no trial went wrong";
    let mut repairs = Claim::that("repairs_hold_in_trials", text);
    let mut wrong = |lab: &mut Lab, name, race: fn(Mode, usize) -> Vec<i64>, right, claim| {
        let got = lab.variant(name).other_work().run_counted(
            || Ok(Vec::from(MODES.map(|mode| race(mode, trials)))),
            |got: &Vec<Vec<i64>>| Tally::all_done(got.concat().len()),
        )?;
        let got = got.unwrap_or_else(|| vec![Vec::new(); MODES.len()]);
        let wrong = [0, 1, 2].map(|at| got[at].iter().filter(|got| **got != right).count());
        let widened = lab.count(name, "widened_trials_that_went_wrong", wrong[1]);
        let repaired = lab.count(name, "repaired_trials_that_went_wrong", wrong[2]);
        repairs = repairs.clone().check(repaired.equals(count(0)));
        let (claim, text): (&'static str, &str) = claim;
        lab.claim(Claim::that(claim, text).check(widened.above(count(0))));
        anyhow::Ok((wrong, trials))
    };
    let claim = (
        "widened_window_overdraws",
        "the widened race overdrew the account, and no order was forced",
    );
    let account = wrong(lab, "account", trials::withdraw, BALANCE - PAYMENT, claim)?;
    let claim = (
        "widened_window_misleads_audits",
        "the widened race let audits see a total that never was",
    );
    let audit = wrong(lab, "audit", trials::audit, 2 * BALANCE, claim)?;
    lab.claim(repairs);
    Ok([account, audit])
}

/// All orders of two increments, each forced on real threads; returns how many lose an update.
pub(crate) fn list(lab: &mut Lab) -> anyhow::Result<Figure<Count>> {
    let all = Schedule::all(&[STEPS, STEPS]);
    lab.say(format!(
        "two threads, an increment each: {} orders of their steps …",
        all.len()
    ));
    let (played, losing) = force_all(lab, [2, 1], &all)?;
    for one in &played {
        lab.say(format!("  {}", line(one)));
    }
    Ok(losing)
}

/// One order, its steps and its result.
fn line(played: &Played) -> String {
    let steps: Vec<String> = played.steps.iter().map(ToString::to_string).collect();
    let (schedule, steps) = (&played.schedule, steps.join(", "));
    format!("{schedule}: {steps} → {}", played.result)
}

/// One order as the user wrote it.
pub(crate) fn force_one(lab: &mut Lab, schedule: &Schedule) -> anyhow::Result<()> {
    let (threads, increments) = (schedule.threads(), schedule.repeats_of(STEPS)?);
    lab.say(format!("{schedule}, forced on {threads} threads …"));
    let (played, _) = force_all(lab, [threads, increments], slice::from_ref(schedule))?;
    for played in played {
        for (number, step) in (1..).zip(&played.steps) {
            lab.say(format!("  {number}. {step}"));
        }
        let (expected, got) = (played.expected, played.result);
        lab.say(format!("  Expected: {expected}, Got: {got}"));
    }
    Ok(())
}

/// Plays orders on real threads as the variant `forced`, and adds the claims about them.
fn force_all(
    lab: &mut Lab,
    [threads, increments]: [usize; 2],
    all: &[Schedule],
) -> anyhow::Result<(Vec<Played>, Figure<Count>)> {
    let variant = lab.variant("forced").other_work();
    let played = variant.run_counted(
        || Ok(force(&counter(threads, increments, false), all)),
        |played| Tally::all_done(played.len()),
    )?;
    let played = played.unwrap_or_default();
    let mut note = |name, holds: fn(&Schedule, &Played) -> bool| {
        let pairs = all.iter().zip(&played);
        let times = pairs.filter(|(asked, one)| holds(asked, one)).count();
        lab.count("forced", name, times)
    };
    let orders = note("orders", |_, _| true);
    let as_asked = note("orders_played_as_asked_for", |asked, one| {
        *asked == one.schedule
    });
    let losing = note("orders_that_lost_an_update", |_, one| one.is_wrong());
    let as_predicted = note("orders_that_ended_as_predicted", |_, one| {
        one.is_wrong() == has_a_store_in_a_window(&one.schedule)
    });
    let text = "real threads made their accesses in exactly the order asked for";
    lab.claim(Claim::that("order_is_forced", text).check(as_asked.equals(orders.clone())));
    let text = "updates were lost exactly where a store fell between another's load and store";
    let line = "{left} of {right} orders as predicted: lost where a store falls into a window";
    let lost = Claim::that("lost_by_a_store_in_the_window", text).in_a_line(line);
    lab.claim(lost.check(as_predicted.equals(orders)).headline());
    Ok((played, losing))
}

/// Each race and its repair under the model checker, which tries every order of their steps.
pub(crate) fn check(lab: &mut Lab, losing: Figure<Count>, odds: [Odds; 3]) -> anyhow::Result<()> {
    lab.say("the same functions under a model checker (shuttle) …");
    let mut found = None;
    let explore_all = |repaired| {
        let (account, audit) = (explore(withdrawals(repaired)), explore(audit(repaired)));
        [explore(counter(2, 1, repaired)), account, audit]
    };
    let checker = lab.variant("checker").other_work();
    checker.run(|| found = Some([false, true].map(explore_all)))?;
    let Some([races, repairs]) = found else {
        return Ok(());
    };
    let text = "each race goes wrong in some order of its steps";
    let mut breaks = Claim::that("orders_break_each_race", text)
        .in_a_line("of 6 orders, so many go wrong: counter {left}, account {left2}, audit {left3}");
    let text = "in none of the orders that the checker tried did a repair go wrong";
    let mut holds = Claim::that("no_order_breaks_a_repair", text)
        .in_a_line("of the repaired ones: counter {left}, account {left2}, audit {left3}");
    let of = |wrong: usize, all: usize| [wrong, all].map(|n| format::count(n as u64)).join(" of ");
    let mut rows = Vec::new();
    for (at, name) in ["counter", "account", "audit"].into_iter().enumerate() {
        let ((wrong, trials), [race, repair]) = (odds[at], [&races[at], &repairs[at]]);
        let orders = [race, repair].map(|one| (one.failing().count(), one.played.len()));
        let trials = wrong.map(|wrong| (wrong, trials));
        let cells = trials
            .iter()
            .chain(&orders)
            .map(|(wrong, all)| of(*wrong, *all));
        rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
        let [(wrong, _), (repaired, _)] = orders;
        let wrong = lab.count("checker", &format!("{name}_orders_that_go_wrong"), wrong);
        let figure = format!("{name}_repaired_orders_that_go_wrong");
        holds = holds.check(lab.count("checker", &figure, repaired).equals(count(0)));
        breaks = breaks.check(wrong.clone().above(count(0)));
        if name == "counter" {
            let text = "the checker, which does not know the list, found as many orders that lose \
                        an update";
            let agrees = Claim::that("checker_agrees_with_the_list", text);
            lab.claim(agrees.check(wrong.equals(losing.clone())));
        } else {
            let first = race.failing().next().map_or_else(String::new, line);
            lab.explain(format!("  {name}: {first}"));
        }
    }
    lab.claim(breaks.headline());
    lab.claim(holds.headline());
    show(lab, rows);
    Ok(())
}

fn show(lab: &mut Lab, rows: Vec<Vec<String>>) {
    let headings = ["", "tight", "widened", "repaired", "orders", "repaired"];
    lab.table(TableReport {
        title: "Trials that went wrong, and orders in which it goes wrong".into(),
        headings: headings.map(str::to_owned).into(),
        rows,
        text_columns: vec![0],
        notes: vec!["so many of all trials, and of all orders, went wrong".into()],
    });
}
