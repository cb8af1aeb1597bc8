//! How often each race goes wrong in trials, in how many orders of its steps, and what that shows.

use crate::{
    Args,
    programs::{STEPS, audit, counter, withdrawals},
    trials::{Mode, let_others_run, try_often},
};
use common::{
    Lab, Tally,
    claim::{Check, Claim, Count, Figure},
    format,
};
use interleave::{Race, Run, Schedule, explore, failing, run};
use std::iter;

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

/// What is counted of a race: trials and orders.
const COUNTED: [&str; 5] = [
    "tight_trials_that_went_wrong",
    "widened_trials_that_went_wrong",
    "repaired_trials_that_went_wrong",
    "orders_that_go_wrong",
    "repaired_orders_that_go_wrong",
];

/// What was seen of a race.
struct Seen {
    /// As many as [`COUNTED`] says.
    counted: Vec<Figure<Count>>,
    /// All orders of its steps.
    orders: Vec<Run>,
    row: Vec<String>,
}

/// All three races and their repairs: many trials each, and every order of their steps.
pub(crate) fn try_all(args: &Args, lab: &mut Lab) -> anyhow::Result<()> {
    let (threads, increments) = (args.threads.get(), args.increments.get());
    let (trials, each) = (args.trials.get(), format::count(increments as u64));
    let short = trials * SHORT_TRIALS;
    lab.say(format!(
        "counter: {trials} trials of {threads} × {each} increments; account, audit: {short} trials each …"
    ));
    let both = [false, true];
    let often = both.map(|repaired| counter(threads, increments, repaired));
    let small = both.map(|repaired| counter(2, 1, repaired));
    let counter = see(lab, "counter", trials, &often, small)?;
    let often = both.map(|repaired| withdrawals(repaired, let_others_run));
    let small = both.map(|repaired| withdrawals(repaired, || ()));
    let account = see(lab, "account", short, &often, small)?;
    let often = both.map(|repaired| audit(repaired, let_others_run));
    let small = both.map(|repaired| audit(repaired, || ()));
    let audit = see(lab, "audit", short, &often, small)?;
    let all = [counter, account, audit];
    claim(lab, [trials, short], threads, &all);
    show(lab, &all);
    Ok(())
}

/// Runs a race as it is, widened and repaired, and a small one in every order of its steps.
fn see<S: Send + Sync>(
    lab: &mut Lab,
    name: &str,
    trials: usize,
    [race, repair]: &[Race<S>; 2],
    small: [Race<S>; 2],
) -> anyhow::Result<Seen> {
    let ways = [
        (race, Mode::Tight),
        (race, Mode::Widened),
        (repair, Mode::Repaired),
    ];
    let work = || {
        Ok(Vec::from(
            ways.map(|(race, mode)| try_often(race, mode, trials)),
        ))
    };
    let variant = lab.variant(name).other_work();
    let got = variant.run_counted(work, |got| Tally::all_done(got.concat().len()))?;
    let got = got.unwrap_or_else(|| vec![Vec::new(); ways.len()]);
    let expected = race.expected;
    let [right, tight] = [Some(&expected), got[0].first()].map(in_words);
    lab.say(format!("  first trial: Expected: {right}, Got: {tight}"));
    let played = small.each_ref().map(explore);
    let wrong = |got: &Vec<i64>| (got.iter().filter(|it| **it != expected).count(), trials);
    let orders = played.iter().map(|all| (failing(all).count(), all.len()));
    let cells: Vec<_> = got.iter().map(wrong).chain(orders).collect();
    let of = |cell: &(usize, usize)| format!("{} of {}", cell.0, cell.1);
    // No trial of a repair goes wrong: that is a claim.
    let shown = [0, 1, 3, 4].map(|at| of(&cells[at]));
    let row = iter::once(name.into()).chain(shown);
    let counted = COUNTED.iter().zip(&cells);
    let counted = counted.map(|(what, cell)| lab.note(name, what, cell.0));
    Ok(Seen {
        counted: counted.collect(),
        row: row.collect(),
        orders: played.into_iter().next().unwrap_or_default(),
    })
}

fn in_words(number: Option<&i64>) -> String {
    number.map_or("–".into(), |number| format::plain(*number as f64))
}

/// One order, its steps and its result.
fn in_cells(played: &Run) -> Vec<String> {
    let steps: Vec<String> = played.steps.iter().map(ToString::to_string).collect();
    let schedule = played.schedule.to_string();
    vec![schedule, steps.join(", "), in_words(played.result.as_ref())]
}

/// Claims what the trials and the orders of all races show.
fn claim(lab: &mut Lab, [trials, short]: [usize; 2], threads: usize, all: &[Seen; 3]) {
    let none = |figure: &Figure<Count>| figure.clone().equals(0);
    let some = |figure: &Figure<Count>| figure.clone().above(0);
    let each = |check: &dyn Fn(&Seen) -> Check, it| all.iter().map(check).fold(it, Claim::check);
    let [counter, account, audit] = all;
    let text = "with a pause in between, the counter lost updates in every trial";
    let alone = (threads == 1).then_some("one thread has no other to race with");
    let widened = Claim::that("widened_window_loses", text)
        .in_a_line("counter: with a pause in between, {left} of {right} trials lost updates")
        .check(counter.counted[1].clone().equals(trials));
    lab.claim(widened.otherwise(alone).headline());
    let text = "what trials may miss, the orders show";
    let line =
        format!("account: {{left}} of {short} trials went wrong, yet {{left2}} of 6 orders do");
    let missed = Claim::that("orders_show_what_trials_miss", text).in_a_line(line);
    let missed = missed.check(account.counted[0].clone().at_most(short));
    lab.claim(missed.check(some(&account.counted[3])).headline());
    let text = "with a pause, trials overdrew the account and misled audits; no order was forced";
    let bank = Claim::that("widened_bank_goes_wrong", text).check(some(&account.counted[1]));
    lab.claim(bank.check(some(&audit.counted[1])));
    let text = "repaired, no trial of any race went wrong";
    let holds = Claim::that("repairs_hold_in_trials", text);
    lab.claim(each(&|race| none(&race.counted[2]), holds));
    let text = "each race goes wrong in some order of its steps";
    let breaks = Claim::that("orders_break_each_race", text);
    lab.claim(each(&|race| some(&race.counted[3]), breaks));
    let text = "repaired, none of the three goes wrong in any order of its steps";
    let holds = Claim::that("no_order_breaks_a_repair", text);
    lab.claim(each(&|race| none(&race.counted[4]), holds).headline());
}

/// Gives the tables: all orders of the counter, and how many go wrong of each race.
fn show(lab: &Lab, all: &[Seen; 3]) {
    let title = "Threads A and B add one each, by a load and a store: all orders of the steps";
    let orders = all[0].orders.iter().map(in_cells).collect();
    let note = "Where both load before either stores, one update is lost.";
    lab.table(title, &["order", "steps", "Got"], orders, note);
    let title = "How many go wrong: of many trials, and of all orders of the steps";
    let rows = all.iter().map(|race| race.row.clone()).collect();
    let headings = ",trials,with a pause,orders,repaired: orders".split(',');
    let example = failing(&all[1].orders).next().map(in_cells);
    let note = example.map(|it| format!("account, {}: {}", it[0], it[1]));
    let headings: Vec<_> = headings.collect();
    lab.table(title, &headings, rows, &note.unwrap_or_default());
}

/// The order that the user wrote, forced on real threads.
pub(crate) fn force_one(lab: &mut Lab, schedule: &Schedule) -> anyhow::Result<()> {
    let (threads, increments) = (schedule.threads(), schedule.repeats_of(STEPS)?);
    lab.say(format!("{schedule}, forced on {threads} threads …"));
    let race = counter(threads, increments, false);
    let played = lab.variant("forced").other_work().run_counted(
        || Ok(vec![run(&race, schedule.turns())]),
        |played| Tally::all_done(played.len()),
    )?;
    let played = played.unwrap_or_default();
    let is_asked_for = |one: &&Run| one.schedule == *schedule;
    let as_asked = played.iter().filter(is_asked_for).count();
    let as_asked = lab.note("forced", "orders_played_as_asked_for", as_asked);
    let text = "real threads made their accesses in exactly the order asked for";
    let forced = Claim::that("order_is_forced", text).check(as_asked.equals(1));
    lab.claim(forced.headline());
    for played in played {
        for (number, step) in (1..).zip(&played.steps) {
            lab.say(format!("  {number}. {step}"));
        }
        let (expected, got) = (played.expected, in_words(played.result.as_ref()));
        lab.say(format!("  Expected: {expected}, Got: {got}"));
    }
    Ok(())
}
