//! Schedules in words: the list, what was seen of it, and what the checker found.

use common::Tally;
use lab_12_race_conditions::{
    model::Finding,
    program::Program,
    schedule::Schedule,
    stage::{Played, Step},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Lines of a list that are printed; `--json` has all of them.
const LINES: usize = 100;
/// The room for a line.
const WIDTH: usize = 78;

/// Schedules played on real threads.
#[derive(Debug, Serialize)]
pub(crate) struct Forced {
    /// How many there were.
    pub(crate) schedules: usize,
    /// How many were recorded in exactly the order asked for.
    pub(crate) in_the_order_asked_for: usize,
    /// How many lost an update.
    pub(crate) losing_an_update: usize,
    /// How many have a store of another thread between a load and its store.
    pub(crate) with_a_store_in_a_window: usize,
    /// How many lost an update if and only if they have one.
    pub(crate) results_as_predicted: usize,
    /// Each of them.
    pub(crate) played: Vec<Played>,
}

impl Forced {
    /// Compares what was played with what was asked for.
    pub(crate) fn compare(asked: &[Schedule], played: Vec<Played>) -> Self {
        let count = |holds: fn(&Played) -> bool| played.iter().filter(|one| holds(one)).count();
        let in_window = |one: &Played| one.schedule.has_a_store_in_a_window();
        let pairs = asked.iter().zip(&played);
        Self {
            schedules: asked.len(),
            in_the_order_asked_for: pairs.filter(|(asked, one)| **asked == one.schedule).count(),
            losing_an_update: count(loses),
            with_a_store_in_a_window: count(in_window),
            results_as_predicted: count(|one| loses(one) == one.schedule.has_a_store_in_a_window()),
            played,
        }
    }

    /// The schedules as tasks; what was not played as asked has failed.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            submitted: self.schedules as u64,
            done: self.in_the_order_asked_for as u64,
            failed: (self.schedules - self.in_the_order_asked_for) as u64,
            ..Tally::default()
        }
    }

    /// A line per schedule with its steps, its result, and how often it was observed.
    pub(crate) fn lines(&self, seen: &BTreeMap<Schedule, usize>) -> Vec<String> {
        let lines = self.played.iter().take(LINES).flat_map(|one| {
            let mark = match seen.get(&one.schedule) {
                Some(times) => format!(" ← seen: {times}"),
                None => String::new(),
            };
            wrapped(&format!("{}{mark}", line(one)))
        });
        let mut lines: Vec<String> = lines.collect();
        if self.played.len() > LINES {
            let more = self.played.len() - LINES;
            lines.push(format!("… and {more} more; `--json` has them all"));
        }
        lines
    }

    /// How many schedules give which result, the right one first.
    pub(crate) fn by_result(&self) -> String {
        let mut results: BTreeMap<i64, usize> = BTreeMap::new();
        for one in &self.played {
            *results.entry(one.result).or_default() += 1;
        }
        let results = results.iter().rev();
        let results: Vec<String> = results
            .map(|(result, count)| format!("in {result}: {count}"))
            .collect();
        format!("schedules that end {}", results.join(", "))
    }
}

fn loses(played: &Played) -> bool {
    played.result < played.expected
}

/// One schedule, its steps and its result.
pub(crate) fn line(played: &Played) -> String {
    let short = played.steps.len() > Program::SMALLEST.steps() as usize;
    let steps: Vec<String> = played.steps.iter().map(|step| word(step, short)).collect();
    let steps = steps.join(if short { " " } else { ", " });
    let lost = match played.expected - played.result {
        0 => String::new(),
        lost => format!(", {lost} lost"),
    };
    format!("{}  {steps} → {}{lost}", played.schedule, played.result)
}

/// A step, in full or as `A0` for a load and `A=1` for a store.
fn word(step: &Step, short: bool) -> String {
    let full = step.to_string();
    match short {
        true => full.replace(" loads ", "").replace(" stores ", "="),
        false => full,
    }
}

/// Breaks a line, what follows the first set in.
fn wrapped(line: &str) -> Vec<String> {
    let text = report::wrap(line, WIDTH - 4, 0);
    let mut lines = text.lines();
    let first = lines.next().map(str::to_owned);
    // Wrapping joins words by one space; the schedule stands apart from its steps.
    let first = first.map(|line| line.replacen(' ', "  ", 1));
    let others = lines.map(|line| format!("    {line}"));
    first.into_iter().chain(others).collect()
}

/// What real threads did when nobody told them in what order.
#[derive(Debug, Serialize)]
pub(crate) struct Observed {
    /// Runs of the program.
    pub(crate) trials: usize,
    /// Different orders among them.
    pub(crate) orders: usize,
    /// Runs whose order is not one of those listed.
    pub(crate) unlisted: usize,
    /// Runs that lost an update.
    pub(crate) losing: usize,
    /// How often each order happened.
    #[serde(serialize_with = "by_name")]
    pub(crate) seen: BTreeMap<Schedule, usize>,
}

impl Observed {
    /// Counts the orders of `runs`; `program` tells which are possible.
    pub(crate) fn count(program: Program, runs: &[Played]) -> Self {
        let mut seen: BTreeMap<Schedule, usize> = BTreeMap::new();
        for run in runs {
            *seen.entry(run.schedule.clone()).or_default() += 1;
        }
        let listed = program.all_schedules();
        let unlisted = |run: &&Played| listed.binary_search(&run.schedule).is_err();
        Self {
            trials: runs.len(),
            orders: seen.len(),
            unlisted: runs.iter().filter(unlisted).count(),
            losing: runs.iter().filter(|run| loses(run)).count(),
            seen,
        }
    }
}

fn by_name<S: serde::Serializer>(
    seen: &BTreeMap<Schedule, usize>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let named = seen
        .iter()
        .map(|(schedule, times)| (schedule.to_string(), times));
    serializer.collect_map(named)
}

/// What the checker found about one program, in one line.
pub(crate) fn verdict(finding: &Finding, breaks: &str) -> String {
    let all = match (finding.complete, finding.schedules) {
        (false, count) => format!("{count} schedules, not all,"),
        (true, 1) => "the one schedule".into(),
        (true, count) => format!("all {count} schedules"),
    };
    let steps = finding.steps;
    format!(
        "{all} of this {steps}-step program: {} {breaks}",
        finding.failing
    )
}

/// The first schedule that the checker saw fail, a line per step.
pub(crate) fn failing_lines(finding: &Finding) -> Vec<String> {
    let Some(failing) = &finding.first_failing else {
        return Vec::new();
    };
    let mut lines = vec![format!("the first that does, {}:", failing.schedule)];
    let steps = failing.steps.iter().zip(1..);
    lines.extend(steps.map(|(step, number)| format!("  {number}. {step}")));
    let (result, expected) = (failing.result, finding.expected);
    lines.push(format!("  → {result} instead of {expected}"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_12_race_conditions::stage::force;
    use std::num::NonZeroUsize;

    fn forced(threads: usize, increments: u64) -> Forced {
        let program = Program {
            threads: NonZeroUsize::new(threads).expect("not zero"),
            increments,
        };
        let all = program.all_schedules();
        Forced::compare(&all, force(program, &all).expect("threads start"))
    }

    #[test]
    fn the_list_of_the_smallest_program_is_this() {
        let seen = BTreeMap::from([("ABBA".parse().expect("a schedule"), 12)]);
        let forced = forced(2, 1);
        assert_eq!(
            forced.lines(&seen),
            [
                "AABB  A loads 0, A stores 1, B loads 1, B stores 2 → 2",
                "ABAB  A loads 0, B loads 0, A stores 1, B stores 1 → 1, 1 lost",
                "ABBA  A loads 0, B loads 0, B stores 1, A stores 1 → 1, 1 lost ← seen: 12",
                "BAAB  B loads 0, A loads 0, A stores 1, B stores 1 → 1, 1 lost",
                "BABA  B loads 0, A loads 0, B stores 1, A stores 1 → 1, 1 lost",
                "BBAA  B loads 0, B stores 1, A loads 1, A stores 2 → 2",
            ]
        );
        assert_eq!(forced.by_result(), "schedules that end in 2: 2, in 1: 4");
        let tally = forced.tally();
        assert_eq!((tally.submitted, tally.done, tally.failed), (6, 6, 0));
    }

    #[test]
    fn longer_schedules_are_written_short_and_long_lists_cut() {
        let lines = forced(2, 2).lines(&BTreeMap::new());
        assert_eq!(lines.len(), 70);
        assert_eq!(lines[0], "AAAABBBB  A0 A=1 A1 A=2 B2 B=3 B3 B=4 → 4");
        let lines = forced(2, 3).lines(&BTreeMap::new());
        assert_eq!(lines.len(), 101);
        assert!(lines[100].contains("and 824 more"), "{}", lines[100]);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }
}
