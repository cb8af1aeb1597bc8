//! How often each race goes wrong in trials, in how many orders of its steps, and what that shows.

use crate::{
    Args,
    programs::{STEPS, audit, counter, has_a_store_in_a_window, withdrawals},
};
use common::{
    Lab, TableReport, Tally,
    claim::{Claim, Count, Figure, count},
    format,
};
use interleave::{Played, Schedule, explore, failing, force};
use lab_12_race_conditions::trials::{self, BALANCE, Mode, PAYMENT};
use std::slice;

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

const MODES: [Mode; 3] = [Mode::Tight, Mode::Widened, Mode::Repaired];

/// How many trials of a race went wrong, tight, widened and repaired, and how many there were.
pub(crate) type Odds = ([usize; 3], usize);

/// All three races and their repairs, many times each.
pub(crate) fn try_all(args: &Args, lab: &mut Lab) -> anyhow::Result<[Odds; 3]> {
    let (threads, increments) = (args.threads, args.increments.get() as u64);
    let (trials, all) = (args.trials.get(), increments * threads.get() as u64);
    let short = trials * SHORT_TRIALS;
    let each = format::count(increments);
    lab.say(format!(
        "a counter: {threads} × {each} increments, {trials} trials each way …"
    ));
    let count_up = |mode| trials::count(threads, increments, mode, trials);
    let (counter, counts) = try_one(lab, "counter", all as i64, &count_up)?;
    lab.say(format!(
        "an account, and two under audit: {short} trials each way …"
    ));
    let withdraw = |mode| trials::withdraw(mode, short);
    let left = BALANCE - PAYMENT;
    let (account, balances) = try_one(lab, "account", left, &withdraw)?;
    let audit = |mode| trials::audit(mode, short);
    let (audit, totals) = try_one(lab, "audit", 2 * BALANCE, &audit)?;
    claim_trials(lab, trials, threads.get(), [counts, balances, totals]);
    Ok([(counter, trials), (account, short), (audit, short)])
}

/// Claims what the trials of the races show, by how many of them went wrong tight, widened and repaired.
fn claim_trials(lab: &mut Lab, trials: usize, threads: usize, all: [[Figure<Count>; 3]; 3]) {
    let [counts, [_, overdrawn, paid], [_, misled, seen]] = all;
    let [tight, widened, kept] = counts;
    let text = "the tight loop lost updates in one trial or more";
    let tight = Claim::that("tight_loop_loses", text).check(tight.above(count(0)));
    let text = "the widened race lost updates in every trial";
    let widened = Claim::that("widened_window_loses", text)
        .in_a_line("widened: the counter lost updates in {left} of {right} trials")
        .check(widened.equals(count(trials)));
    for claim in [tight.needs_cpus(), widened.headline()] {
        lab.claim(match threads {
            1 => claim.otherwise("one thread has no other to race with"),
            _ => claim,
        });
    }
    let text = "the widened races overdrew the account, and misled audits; no order was forced";
    let bank = Claim::that("widened_bank_goes_wrong", text)
        .check(overdrawn.above(count(0)))
        .check(misled.above(count(0)));
    lab.claim(bank);
    let text = "repaired, no trial of any race went wrong";
    let repaired = [kept, paid, seen].map(|wrong| wrong.equals(count(0)));
    let claim = Claim::that("repairs_hold_in_trials", text);
    lab.claim(repaired.into_iter().fold(claim, Claim::check));
}

/// Runs a race as it is, widened and repaired; returns how many trials of each did not end as is `right`.
fn try_one(
    lab: &mut Lab,
    name: &str,
    right: i64,
    race: &dyn Fn(Mode) -> Vec<i64>,
) -> anyhow::Result<([usize; 3], [Figure<Count>; 3])> {
    let got = lab.variant(name).other_work().run_counted(
        || Ok(Vec::from(MODES.map(race))),
        |got: &Vec<Vec<i64>>| Tally::all_done(got.concat().len()),
    )?;
    let got = got.unwrap_or_else(|| vec![Vec::new(); MODES.len()]);
    let [tight, widened, repaired] =
        [0, 1, 2].map(|at| got[at].first().copied().map_or("–".into(), in_words));
    lab.say(format!(
        "  {name}: Expected: {}, Got: {tight}; widened {widened}; repaired {repaired}",
        in_words(right)
    ));
    let wrong = [0, 1, 2].map(|at| got[at].iter().filter(|got| **got != right).count());
    let figures = [0, 1, 2].map(|at| {
        let mode = format!("{:?}", MODES[at]).to_lowercase();
        lab.count(name, &format!("{mode}_trials_that_went_wrong"), wrong[at])
    });
    Ok((wrong, figures))
}

fn in_words(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    sign.to_owned() + &format::count(number.unsigned_abs())
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
        let orders = [race, repair].map(|all| (failing(all).count(), all.len()));
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
            let first = failing(race).next().map_or_else(String::new, line);
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
        notes: vec![
            "trials that went wrong, and orders of two threads' steps that go wrong".into(),
        ],
    });
}
