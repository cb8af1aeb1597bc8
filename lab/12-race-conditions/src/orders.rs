//! All orders of a small program's steps: listed, forced on real threads, and found by a checker.

use common::{
    Lab, Tally,
    claim::{Claim, Count, Figure, count},
    format,
};
use interleave::{Explored, Played, Schedule, explore, force, observe};
use lab_12_race_conditions::programs::{
    Audit, Counter, STEPS, Withdrawals, has_a_store_in_a_window,
};
use std::collections::BTreeMap;

/// Free runs of the listed program.
const OBSERVED: usize = 400;

/// Lines of a list that are printed; `--json` has all of them.
const LINES: usize = 100;

/// The most schedules of a program that the checker is given: it also tries all orders in which
/// threads start and end, which are many more.
const MOST_CHECKED: u64 = 100;

/// How many schedules there are, and how many lose an update.
pub(crate) type Losing = [Figure<Count>; 2];

/// All schedules of `listed`: those that real threads happened to take, then each forced on them.
pub(crate) fn list(lab: &mut Lab, asked: Counter, listed: Counter) -> anyhow::Result<Losing> {
    lab.say("In how many orders of their steps (schedules) can the threads run?");
    lab.say(format!("  {}", in_words(asked)));
    if listed != asked {
        lab.say("  That is too long a list. The smallest program with the same bug:");
        lab.say(format!("  {}", in_words(listed)));
    }
    let variant = lab.variant("observed").other_work();
    let observed = variant.run_counted(
        || Ok(observe(&listed, OBSERVED)),
        |runs| Tally::all_done(runs.len()),
    )?;
    let mut seen = BTreeMap::<&Schedule, usize>::new();
    for run in &observed {
        *seen.entry(&run.schedule).or_default() += 1;
    }
    lab.explain(format!(
        "  Each, forced on real threads. ← marks those that also came up in {OBSERVED} runs in which the \
         system chose the order; in every second of these a thread yields before each step:"
    ));
    let (played, losing) = force_all(lab, listed, &listed.all_schedules())?;
    let is_long = listed != Counter::SMALLEST;
    if is_long {
        lab.say("  (A0: A loads 0. A=1: A stores 1.)");
    }
    for one in played.iter().take(LINES) {
        let mark = seen.get(&one.schedule);
        let mark = mark.map_or(String::new(), |times| format!(" ← seen: {times}"));
        lab.explain(format!("  {}{mark}", line(one, is_long)));
    }
    if played.len() > LINES {
        let more = played.len() - LINES;
        lab.say(format!("  … and {more} more; `--json` has them all"));
    }
    let mut results = BTreeMap::<i64, usize>::new();
    for one in &played {
        *results.entry(one.result).or_default() += 1;
    }
    let results = results.iter().rev();
    let results: Vec<String> = results
        .map(|(result, times)| format!("in {result}: {times}"))
        .collect();
    lab.say(format!("  schedules that end {}", results.join(", ")));
    Ok(losing)
}

/// A program in words, and its number of schedules.
fn in_words(program: Counter) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (threads, each) = (program.threads, program.increments);
    let schedules = program.schedules();
    let schedules = match schedules.up_to(10_u64.pow(15)) {
        Some(count) => format::count(count),
        None => format!("a number of {} digits", format::count(schedules.digits())),
    };
    format!(
        "{threads} thread{}, {} increment{} each (load, store): {schedules}",
        plural(threads),
        format::count(each as u64),
        plural(each)
    )
}

/// One schedule, its steps and its result.
fn line(played: &Played, is_long: bool) -> String {
    let steps = played.steps.iter().map(ToString::to_string);
    let steps: Vec<String> = if is_long {
        let short = |step: String| step.replace(" loads ", "").replace(" stores ", "=");
        steps.map(short).collect()
    } else {
        steps.collect()
    };
    let steps = steps.join(if is_long { " " } else { ", " });
    let lost = match played.expected - played.result {
        0 => String::new(),
        lost => format!(", {lost} lost"),
    };
    format!("{}: {steps} → {}{lost}", played.schedule, played.result)
}

/// One schedule as the user wrote it.
pub(crate) fn force_one(lab: &mut Lab, schedule: &Schedule) -> anyhow::Result<()> {
    let program = Counter {
        threads: schedule.threads(),
        increments: schedule.repeats_of(STEPS)?,
        repaired: false,
    };
    lab.say(format!(
        "{schedule}, forced on {} real threads …",
        program.threads
    ));
    let (played, _) = force_all(lab, program, std::slice::from_ref(schedule))?;
    for (number, step) in (1..).zip(&played[0].steps) {
        lab.say(format!("  {number}. {step}"));
    }
    let (expected, got) = (played[0].expected, played[0].result);
    lab.say(format!("  Expected: {expected}, Got: {got}"));
    lab.say(format!(
        "This is one of the schedules of {}.",
        in_words(program)
    ));
    Ok(())
}

/// Plays schedules on real threads as the variant `forced`, and adds the claims about them.
fn force_all(
    lab: &mut Lab,
    program: Counter,
    all: &[Schedule],
) -> anyhow::Result<(Vec<Played>, Losing)> {
    let tally = |played: &Vec<Played>| Tally::all_done(played.len());
    let variant = lab.variant("forced").other_work();
    let played = variant.run_counted(|| Ok(force(&program, all)), tally)?;
    let pairs = || all.iter().zip(&played);
    let as_asked = pairs()
        .filter(|(asked, one)| **asked == one.schedule)
        .count();
    let in_window = |one: &Played| has_a_store_in_a_window(&one.schedule);
    let losing = played.iter().filter(|one| one.is_wrong()).count();
    let with_window = played.iter().filter(|one| in_window(one)).count();
    let as_predicted = played
        .iter()
        .filter(|one| one.is_wrong() == in_window(one))
        .count();
    let mut note = |name, value| lab.count("forced", name, value);
    let schedules = note("schedules", all.len());
    let as_asked = note("schedules_played_in_the_order_asked_for", as_asked);
    let losing = note("schedules_that_lost_an_update", losing);
    let with_window = note("schedules_with_a_store_in_a_window", with_window);
    let as_predicted = note("schedules_that_ended_as_predicted", as_predicted);
    lab.claim(
        Claim::that(
            "order_is_forced",
            "real threads made their accesses in exactly the order asked for",
        )
        .check(as_asked.equals(schedules.clone())),
    );
    lab.claim(
        Claim::that(
            "lost_by_a_store_in_the_window",
            "updates were lost exactly where a store fell between another thread's load and store",
        )
        .check(as_predicted.equals(schedules.clone()))
        .check(with_window.equals(losing.clone()))
        .headline(),
    );
    Ok((played, [schedules, losing]))
}

/// Each race and its repair under the model checker: in how many orders does it go wrong?
pub(crate) fn check(lab: &mut Lab, listed: Counter, losing: Losing) -> anyhow::Result<()> {
    let is_listed = listed.schedules().up_to(MOST_CHECKED).is_some();
    let counter = if is_listed { listed } else { Counter::SMALLEST };
    lab.say("The same functions under a model checker (shuttle, depth first) …");
    lab.explain(
        "  Its model: one step at a time, in every order; what is stored, all see at once. What \
         compiler and CPU may reorder, it does not try.",
    );
    let both = |repaired| {
        let counter = Counter {
            repaired,
            ..counter
        };
        [
            ("counter", "lose an update", explore(counter)),
            ("account", "overdraw it", explore(Withdrawals { repaired })),
            ("audit", "see a wrong total", explore(Audit { repaired })),
        ]
    };
    let mut found = Vec::new();
    lab.variant("checker").other_work().run_counted(
        || {
            found.extend(both(false).into_iter().zip(both(true)));
            Ok(())
        },
        |()| Tally::all_done(6),
    )?;
    let mut repairs = Claim::that(
        "no_order_breaks_a_repair",
        "in none of the orders that the checker tried did a repair go wrong",
    )
    .headline();
    for ((name, breaks, race), (_, _, repaired)) in found {
        lab.say(format!("  {name}: {}", verdict(&race, breaks)));
        for line in first_failing(&race) {
            lab.say(format!("    {line}"));
        }
        lab.say(format!("  {name} repaired: {}", verdict(&repaired, breaks)));
        let mut note = |what: &str, value| lab.count("checker", &format!("{name}_{what}"), value);
        let schedules = note("orders", race.played.len());
        let failing = note("orders_that_go_wrong", race.failing().count());
        let left = note("repaired_orders_that_go_wrong", repaired.failing().count());
        repairs = repairs.check(left.equals(count(0)));
        if is_listed && name == "counter" {
            let [listed, losing] = losing.clone();
            lab.claim(
                Claim::that(
                    "checker_agrees_with_the_list",
                    "the checker, which does not know the list, found as many orders and losses",
                )
                .check(schedules.equals(listed))
                .check(failing.equals(losing)),
            );
        }
    }
    lab.claim(repairs);
    Ok(())
}

/// What the checker found about one program, in one line.
fn verdict(explored: &Explored, breaks: &str) -> String {
    let all = match (explored.complete, explored.played.len()) {
        (false, count) => format!("{count} schedules, not all,"),
        (true, 1) => "the one schedule".into(),
        (true, count) => format!("all {count} schedules"),
    };
    let steps = explored.played.iter().map(|one| one.steps.len()).max();
    format!(
        "{all} of this {}-step program: {} {breaks}",
        steps.unwrap_or(0),
        explored.failing().count()
    )
}

/// The first schedule that the checker saw fail, a line per step.
fn first_failing(explored: &Explored) -> Vec<String> {
    let Some(failing) = explored.failing().next() else {
        return Vec::new();
    };
    let steps = (1..).zip(&failing.steps);
    let steps = steps.map(|(number, step)| format!("  {number}. {step}"));
    [format!("the first that does, {}:", failing.schedule)]
        .into_iter()
        .chain(steps)
        .chain([format!(
            "  → {} instead of {}",
            failing.result, failing.expected
        )])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_smallest_program_is_this() {
        let lines: Vec<String> = force(&Counter::SMALLEST, &Schedule::all(&[2, 2]))
            .iter()
            .map(|one| line(one, false))
            .collect();
        assert_eq!(
            lines,
            [
                "AABB: A loads 0, A stores 1, B loads 1, B stores 2 → 2",
                "ABAB: A loads 0, B loads 0, A stores 1, B stores 1 → 1, 1 lost",
                "ABBA: A loads 0, B loads 0, B stores 1, A stores 1 → 1, 1 lost",
                "BAAB: B loads 0, A loads 0, A stores 1, B stores 1 → 1, 1 lost",
                "BABA: B loads 0, A loads 0, B stores 1, A stores 1 → 1, 1 lost",
                "BBAA: B loads 0, B stores 1, A loads 1, A stores 2 → 2",
            ]
        );
    }

    #[test]
    fn large_numbers_of_schedules_are_given_by_their_digits() {
        let script = Counter {
            threads: 4,
            increments: 100_000,
            repaired: false,
        };
        assert!(in_words(script).ends_with("a number of 481,640 digits"));
    }
}
