//! How often each race goes wrong in trials, in how many orders of its steps, and what that shows.

use crate::{
    flags::Args,
    programs::{Audit, Counter, STEPS, Withdrawals, has_a_store_in_a_window},
};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Claim, Count, Figure, count},
    format,
};
use interleave::{Explored, Played, Schedule, explore, force};
use lab_12_race_conditions::trials::{self, BALANCE, Mode, PAYMENT};
use std::num::NonZeroUsize;

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

const MODES: [Mode; 3] = [Mode::Tight, Mode::Widened, Mode::Repaired];

/// How many trials of a race went wrong, tight, widened and repaired, and how many there were.
pub(crate) type Odds = ([usize; 3], usize);

/// The counter: one thread alone, the tight and the widened race, the repair.
pub(crate) fn try_the_counter(args: &Args, lab: &mut Lab) -> anyhow::Result<Odds> {
    let (threads, increments) = (args.threads, args.increments.get() as u64);
    let (trials, all) = (args.trials.get(), increments * threads.get() as u64);
    let shown = [increments, all].map(format::count);
    lab.say(format!(
        "a counter: {threads} × {} increments, {trials} trials each way …",
        shown[0]
    ));
    let alone = lab.variant("one thread").bound(Bound::Work { workers: 1 });
    let alone = alone.run(|| trials::count(NonZeroUsize::MIN, all, Mode::Tight, 1)[0])?;
    let alone = lab.count(
        "one thread",
        "lost_updates",
        all.abs_diff(alone as u64) as usize,
    );
    let text = "one thread alone lost nothing with the same load and store";
    lab.claim(Claim::that("one_thread_loses_nothing", text).check(alone.equals(count(0))));
    let mut wrong = [0; 3];
    for (at, name) in ["tight", "widened", "one step"].into_iter().enumerate() {
        let workers = threads.get();
        let variant = lab
            .variant(name)
            .other_work()
            .bound(Bound::Work { workers });
        let got = variant.run_counted(
            || Ok(trials::count(threads, increments, MODES[at], trials)),
            |got| Tally::all_done(got.len()),
        )?;
        let first = format::count(got[0].unsigned_abs());
        lab.say(format!("  {name}: Expected: {}, Got: {first}", shown[1]));
        wrong[at] = got.iter().filter(|got| **got != all as i64).count();
        let lossy = lab.count(name, "trials_that_lost_updates", wrong[at]);
        let claim = match MODES[at] {
            Mode::Tight => {
                let text = "the tight loop lost updates in one trial or more";
                let claim = Claim::that("tight_loop_loses", text).needs_cpus();
                claim.check(lossy.above(count(0)))
            }
            Mode::Widened => {
                let text = "held open, the window lost updates in every trial";
                Claim::that("widened_window_loses", text)
                    .check(lossy.equals(count(trials)))
                    .in_a_line("held open, the window lost updates in {left} of {right} trials")
                    .headline()
            }
            Mode::Repaired => {
                let text = "in one step, no trial lost an update";
                Claim::that("one_step_loses_nothing", text).check(lossy.equals(count(0)))
            }
        };
        lab.claim(match threads.get() {
            1 => claim.otherwise("one thread has no other to race with"),
            _ => claim,
        });
    }
    Ok((wrong, trials))
}

/// Check-then-act, and two locks with one invariant.
pub(crate) fn try_the_bank(lab: &mut Lab, trials: usize) -> anyhow::Result<[Odds; 2]> {
    let trials = trials * SHORT_TRIALS;
    lab.say(format!(
        "an account, and two under audit: {trials} trials each way …"
    ));
    let mut wrong = |name, race: fn(Mode, usize) -> Vec<i64>, right| {
        let got = lab.variant(name).other_work().run_counted(
            || Ok(Vec::from(MODES.map(|mode| race(mode, trials)))),
            |got: &Vec<Vec<i64>>| Tally::all_done(got.concat().len()),
        )?;
        let wrong = [0, 1, 2].map(|at| got[at].iter().filter(|got| **got != right).count());
        let widened = lab.count(name, "widened_trials_that_went_wrong", wrong[1]);
        let repaired = lab.count(name, "repaired_trials_that_went_wrong", wrong[2]);
        anyhow::Ok((wrong, widened.above(count(0)), repaired.equals(count(0))))
    };
    let (account, overdrawn, account_holds) =
        wrong("account", trials::withdraw, BALANCE - PAYMENT)?;
    let (audit, misled, audit_holds) = wrong("audit", trials::audit, 2 * BALANCE)?;
    let text = "held open, the window let threads overdraw the account without being forced";
    lab.claim(Claim::that("widened_window_overdraws", text).check(overdrawn));
    let text = "held open, the window let audits see a total that never was";
    lab.claim(Claim::that("widened_window_misleads_audits", text).check(misled));
    let text = "check and act in one section, and both locks at once: no trial went wrong";
    let claim = Claim::that("repairs_hold_in_trials", text);
    lab.claim(claim.check(account_holds).check(audit_holds));
    Ok([(account, trials), (audit, trials)])
}

/// All orders of two increments, each forced on real threads; returns how many lose an update.
pub(crate) fn list(lab: &mut Lab) -> anyhow::Result<Figure<Count>> {
    let all = Schedule::all(&[STEPS, STEPS]);
    lab.say(format!(
        "two threads, an increment each: {} orders of their steps …",
        all.len()
    ));
    let (played, losing) = force_all(lab, Counter::of(2, 1), &all)?;
    for one in &played {
        lab.say(format!("  {}", line(one)));
    }
    Ok(losing)
}

/// One order, its steps and its result.
fn line(played: &Played) -> String {
    let steps: Vec<String> = played.steps.iter().map(ToString::to_string).collect();
    format!(
        "{}: {} → {}",
        played.schedule,
        steps.join(", "),
        played.result
    )
}

/// One order as the user wrote it.
pub(crate) fn force_one(lab: &mut Lab, schedule: &Schedule) -> anyhow::Result<()> {
    let program = Counter::of(schedule.threads(), schedule.repeats_of(STEPS)?);
    lab.say(format!(
        "{schedule}, forced on {} threads …",
        program.threads
    ));
    let (played, _) = force_all(lab, program, std::slice::from_ref(schedule))?;
    for (number, step) in (1..).zip(&played[0].steps) {
        lab.say(format!("  {number}. {step}"));
    }
    let (expected, got) = (played[0].expected, played[0].result);
    lab.say(format!("  Expected: {expected}, Got: {got}"));
    Ok(())
}

/// Plays orders on real threads as the variant `forced`, and adds the claims about them.
fn force_all(
    lab: &mut Lab,
    program: Counter,
    all: &[Schedule],
) -> anyhow::Result<(Vec<Played>, Figure<Count>)> {
    let variant = lab.variant("forced").other_work();
    let played = variant.run_counted(
        || Ok(force(&program, all)),
        |played| Tally::all_done(played.len()),
    )?;
    let in_window = |one: &Played| has_a_store_in_a_window(&one.schedule);
    let mut note = |name, holds: &dyn Fn(&Schedule, &Played) -> bool| {
        let pairs = all.iter().zip(&played);
        let times = pairs.filter(|(asked, one)| holds(asked, one)).count();
        lab.count("forced", name, times)
    };
    let orders = note("orders", &|_, _| true);
    let as_asked = note("orders_played_as_asked_for", &|asked, one| {
        *asked == one.schedule
    });
    let losing = note("orders_that_lost_an_update", &|_, one| one.is_wrong());
    let as_predicted = note("orders_that_ended_as_predicted", &|_, one| {
        one.is_wrong() == in_window(one)
    });
    let text = "real threads made their accesses in exactly the order asked for";
    lab.claim(Claim::that("order_is_forced", text).check(as_asked.equals(orders.clone())));
    let text = "updates were lost exactly where a store fell between another's load and store";
    let lost = Claim::that("lost_by_a_store_in_the_window", text);
    lab.claim(
        lost.check(as_predicted.equals(orders.clone()))
            .in_a_line("{left} of {right} orders: lost just where a store fell into a window")
            .headline(),
    );
    Ok((played, losing))
}

const NAMES: [&str; 3] = ["counter", "account", "audit"];

/// Each race and its repair under the model checker, which tries every order of their steps.
pub(crate) fn check(lab: &mut Lab, losing: Figure<Count>, odds: [Odds; 3]) -> anyhow::Result<()> {
    lab.say("the same functions under a model checker (shuttle) …");
    let explore_all = |repaired| {
        let counter = Counter {
            repaired,
            ..Counter::of(2, 1)
        };
        let (account, audit) = (Withdrawals { repaired }, Audit { repaired });
        [explore(counter), explore(account), explore(audit)]
    };
    let mut found = None;
    let checker = lab.variant("checker").other_work();
    checker.run(|| found = Some([false, true].map(explore_all)))?;
    let [races, repairs] = found.expect("it ran");
    for (name, race) in NAMES.into_iter().zip(&races).skip(1) {
        let first = race.failing().next().map_or_else(String::new, line);
        lab.explain(format!("  {name}: {first}"));
    }
    show(lab, odds, [&races, &repairs]);
    let mut note = |at: usize, what: &str, value| {
        lab.count("checker", &format!("{}_{what}", NAMES[at]), value)
    };
    let wrong = |explored: &Explored| explored.failing().count();
    let races = [0, 1, 2].map(|at| note(at, "orders_that_go_wrong", wrong(&races[at])));
    let repairs =
        [0, 1, 2].map(|at| note(at, "repaired_orders_that_go_wrong", wrong(&repairs[at])));
    let agrees = Claim::that(
        "checker_agrees_with_the_list",
        "the checker, which does not know the list, found as many orders that lose an update",
    );
    lab.claim(agrees.check(races[0].clone().equals(losing)));
    let text = "each race goes wrong in some order of its steps";
    let breaks = Claim::that("orders_break_each_race", text)
        .in_a_line("of 6 orders go wrong: counter {left}, account {left2}, audit {left3}");
    let text = "in none of the orders that the checker tried did a repair go wrong";
    let holds = Claim::that("no_order_breaks_a_repair", text)
        .in_a_line("repaired, go wrong: counter {left}, account {left2}, audit {left3}");
    let breaks = races
        .into_iter()
        .fold(breaks, |claim, wrong| claim.check(wrong.above(count(0))));
    let holds = repairs
        .into_iter()
        .fold(holds, |claim, wrong| claim.check(wrong.equals(count(0))));
    lab.claim(breaks.headline());
    lab.claim(holds.headline());
    Ok(())
}

/// A row per race: in how many trials, and in how many orders, it goes wrong.
fn show(lab: &Lab, odds: [Odds; 3], explored: [&[Explored; 3]; 2]) {
    let of = |wrong: usize, all: usize| [wrong, all].map(|n| format::count(n as u64)).join(" of ");
    let row = |at: usize| {
        let (wrong, trials) = odds[at];
        let trials = wrong.map(|wrong| of(wrong, trials));
        let orders = explored.map(|all| of(all[at].failing().count(), all[at].played.len()));
        [vec![NAMES[at].to_owned()], trials.into(), orders.into()].concat()
    };
    let headings = ["", "tight", "widened", "repaired", "orders", "repaired"];
    lab.table(TableReport {
        title: "Trials that went wrong, and orders in which it goes wrong".into(),
        headings: headings.map(str::to_owned).into(),
        rows: (0..NAMES.len()).map(row).collect(),
        text_columns: vec![0],
        notes: vec!["of all trials, and of all orders, so many went wrong".into()],
    });
}
