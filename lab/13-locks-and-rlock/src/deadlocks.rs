//! The deadlocks, each in a child process, and what its watchdog reports about them.

use crate::args::LockArgs;
use anyhow::{Context, bail};
use common::{
    Lab, Tally,
    child::{Child, Exit, Link, Program, Role},
    claim::{Claim, count, done, middle_wall, seconds, submitted},
    format,
    timeline::{Moment, Span, Timeline},
};
use lab_13_locks_and_rlock::deadlock::{
    Bank, Note, start_opposite_order, start_same_order, start_self_deadlock,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io::ErrorKind::{TimedOut, WouldBlock},
    process::ExitCode,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// A variant: its name, what it does, how many threads it has, and what starts them.
type Scenario = (
    &'static str,
    &'static str,
    usize,
    fn(&Arc<Bank>) -> Vec<JoinHandle<()>>,
);

const SCENARIOS: [Scenario; 3] = [
    (
        "self-deadlock",
        "nested again, with a plain lock, in a child process …",
        1,
        start_self_deadlock,
    ),
    (
        "opposite order",
        "two locks, taken in opposite orders, in a child process …",
        2,
        start_opposite_order,
    ),
    (
        "same order",
        "the same two locks, taken in one order by all …",
        2,
        start_same_order,
    ),
];

/// How long the child has to end once its link is closed.
const LEAVING: Duration = Duration::from_secs(5);

/// What became of the threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Finished,
    /// The notes of the threads in the circle.
    Deadlocked(Vec<Note>),
    /// The child did not answer in time.
    Silent,
}

/// The role of the child: it runs one scenario and ends when its link closes.
#[derive(Debug)]
pub(crate) struct Watched;

impl Role for Watched {
    fn name(&self) -> &str {
        "watched"
    }

    fn serve(&self, link: Link) -> ExitCode {
        let (mut sender, mut receiver) = link.split();
        let Ok(Some((scenario, watchdog))) = receiver.receive::<(usize, bool)>() else {
            return ExitCode::SUCCESS;
        };
        let bank = Arc::default();
        let (_, _, _, start) = SCENARIOS[scenario];
        let threads = start(&bank);
        thread::spawn(move || {
            let outcome = loop {
                if threads.iter().all(JoinHandle::is_finished) {
                    break Outcome::Finished;
                }
                if let Some(circle) = bank.circle().filter(|_| watchdog) {
                    break Outcome::Deadlocked(circle);
                }
                thread::sleep(Duration::from_millis(1));
            };
            // A parent that has gone is noticed below.
            let _ = sender.send(&outcome);
        });
        // Threads that are stuck stay so; the end of the process ends them.
        while let Ok(Some(())) = receiver.receive::<()>() {}
        ExitCode::SUCCESS
    }
}

/// Runs a scenario in a child and waits for its answer for at most `patience`, then kills it.
fn run(scenario: usize, watchdog: bool, patience: Duration) -> anyhow::Result<(Outcome, Exit)> {
    let asked = Moment::now();
    let (mut child, mut link) = Child::start(&Program::this(), Watched.name())?;
    link.send(&(scenario, watchdog))
        .context("cannot ask the watched child")?;
    let (sender, mut receiver) = link.split();
    let left = patience.saturating_sub(Moment::now() - asked);
    let answer = if left.is_zero() {
        Ok(Some(Outcome::Silent))
    } else {
        receiver.set_timeout(Some(left))?;
        receiver.receive()
    };
    let outcome = match answer {
        Ok(Some(outcome)) => outcome,
        Ok(None) => bail!(
            "the watched child ended early with {}",
            child.wait_or_kill(LEAVING)
        ),
        Err(error) if matches!(error.kind(), WouldBlock | TimedOut) => Outcome::Silent,
        Err(error) => return Err(error).context("the link to the watched child broke"),
    };
    let (name, wait) = match outcome {
        Outcome::Finished => ("finished", None),
        Outcome::Deadlocked(_) | Outcome::Silent => ("deadlock", Some("lock".into())),
    };
    let mut span = Span::watched(name, asked, Moment::now(), Duration::ZERO);
    span.wait = wait;
    if let Some(timeline) = Timeline::current() {
        timeline.record_process(child.id(), &format!("child {}", child.id()), span);
    }
    let exit = if outcome == Outcome::Silent {
        child.kill()
    } else {
        // The child ends when its link does, stuck threads or not.
        drop(sender);
        child.wait_or_kill(LEAVING)
    };
    Ok((outcome, exit))
}

/// Runs every scenario in a child, prints what became of it, and adds the claims.
pub(crate) fn watch(lab: &mut Lab, args: &LockArgs) -> anyhow::Result<()> {
    let (patience, watchdog) = (args.patience.0, !args.no_watchdog);
    let waited = format::seconds(patience);
    let mut silent = Vec::new();
    for (scenario, (name, what, threads, _)) in SCENARIOS.into_iter().enumerate() {
        lab.say(format!("{name}: {what}"));
        // Threads that were stuck when the child ended were cancelled.
        let tally = |(outcome, _): &(Outcome, Exit)| {
            let (all, finished) = (threads as u64, *outcome == Outcome::Finished);
            Tally {
                submitted: all,
                done: if finished { all } else { 0 },
                cancelled: if finished { 0 } else { all },
                ..Tally::default()
            }
        };
        let variant = lab.variant(name).other_work();
        let (outcome, exit) = variant.run_counted(|| run(scenario, watchdog, patience), tally)?;
        let circle = match &outcome {
            Outcome::Deadlocked(circle) => circle.as_slice(),
            Outcome::Finished | Outcome::Silent => &[],
        };
        match outcome {
            Outcome::Finished => lab.say(format!("  all threads finished; the child: {exit}")),
            Outcome::Deadlocked(_) => describe(circle).iter().for_each(|line| lab.say(line)),
            Outcome::Silent => {
                lab.say(format!("  no answer in {waited}; the child: {exit}"));
                silent.push(name);
            }
        }
        if name == "same order" {
            lab.claim(
                Claim::that(
                    "one_order_finishes",
                    "one order for all: both threads finished",
                )
                .check(done(name).equals(submitted(name)))
                .headline(),
            );
        } else if watchdog {
            claim_circle(lab, name, threads, circle);
        }
    }
    if !watchdog {
        return claim_silence(lab, patience);
    }
    if !silent.is_empty() {
        lab.fail(format!(
            "no answer from the watched child in {waited}: `{}`; allow more `--patience`",
            silent.join("`, `")
        ));
    }
    Ok(())
}

/// What each thread of the circle holds and waits for, and the circle itself.
fn describe(circle: &[Note]) -> Vec<String> {
    let waits = circle.iter().filter(|note| !note.holds);
    let names: Vec<&str> = waits.map(|note| &*note.thread).collect();
    let notes = circle.iter().map(|note| format!("  {note}"));
    let first = names.first().unwrap_or(&"");
    let whole = format!(
        "  deadlock, found by the child: {} → {first}",
        names.join(" → ")
    );
    notes.chain([whole]).collect()
}

fn claim_circle(lab: &mut Lab, name: &str, threads: usize, circle: &[Note]) {
    let waits = || circle.iter().filter(|note| !note.holds);
    let locks: BTreeSet<_> = waits().map(|note| &note.lock).collect();
    let in_circle = lab.count(name, "threads_in_the_circle", waits().count());
    let waited_for = lab.count(name, "locks_waited_for", locks.len());
    let claim = match threads {
        1 => Claim::that(
            "self_deadlock_named",
            "a plain lock, taken again by its holder: one thread waits for itself, and is named",
        ),
        _ => Claim::that(
            "opposite_orders_named",
            "opposite orders: two threads each hold what the other waits for, and are named",
        )
        .headline(),
    };
    lab.claim(
        claim
            .check(in_circle.equals(count(threads)))
            .check(waited_for.equals(count(threads)))
            .check(done(name).equals(count(0))),
    );
}

/// Without a watchdog only threads that finish lead to an answer.
fn claim_silence(lab: &mut Lab, patience: Duration) -> anyhow::Result<()> {
    let silent = Claim::that(
        "deadlock_is_silent",
        "without a watchdog a deadlock gives no answer for as long as the parent waits",
    );
    let both = ["self-deadlock", "opposite order"];
    lab.claim(both.into_iter().fold(silent, |claim, name| {
        claim
            .check(done(name).equals(count(0)))
            .check(middle_wall(name).at_least(seconds(patience.as_secs_f64())))
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_printed_with_locks_threads_and_lines() {
        let note = |thread: &str, lock: &str, line, holds| Note {
            thread: thread.into(),
            lock: lock.into(),
            at: format!("bank.rs:{line}"),
            holds,
        };
        let circle = [
            note("one", "a", 1, true),
            note("one", "b", 2, false),
            note("two", "b", 3, true),
            note("two", "a", 4, false),
        ];
        let expected = [
            "  one holds `a`, bank.rs:1",
            "  one waits for `b`, bank.rs:2",
            "  two holds `b`, bank.rs:3",
            "  two waits for `a`, bank.rs:4",
            "  deadlock, found by the child: one → two → one",
        ];
        assert_eq!(describe(&circle), expected);
    }
}
