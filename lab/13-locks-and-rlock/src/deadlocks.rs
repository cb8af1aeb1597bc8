//! The deadlocks, each in a child of its own, and what their watchdog says about them.

use crate::args::LockArgs;
use common::{Lab, Tally, format};
use lab_13_locks_and_rlock::{
    deadlock::{Scenario, THREADS},
    registry::Deadlock,
    watched::{Ended, Outcome, run_watched},
};
use process_pool::child::Exit;
use serde::Serialize;
use std::collections::BTreeSet;

pub(crate) const SELF_DEADLOCK: &str = "self-deadlock";
pub(crate) const OPPOSITE_ORDER: &str = "opposite order";
pub(crate) const SAME_ORDER: &str = "same order";

const SCENARIOS: [(&str, Scenario, &str); 3] = [
    (
        SELF_DEADLOCK,
        Scenario::SelfDeadlock,
        "nested again, with a plain lock, in a child process …",
    ),
    (
        OPPOSITE_ORDER,
        Scenario::OppositeOrder,
        "two locks, taken in opposite orders, in a child process …",
    ),
    (
        SAME_ORDER,
        Scenario::SameOrder,
        "the same two locks, taken in one order by all …",
    ),
];

/// What came of a scenario, in figures that claims can name.
#[derive(Serialize)]
struct Told {
    threads: usize,
    finished: usize,
    /// Whether the child said what came of it.
    heard: bool,
    cycle_threads: usize,
    cycle_locks: usize,
    exit: Exit,
    deadlock: Option<Deadlock>,
}

impl Told {
    fn new(Ended { outcome, exit }: Ended) -> Self {
        let heard = outcome != Outcome::Silent;
        let finished = outcome == Outcome::Finished;
        let deadlock = match outcome {
            Outcome::Deadlocked(deadlock) => Some(deadlock),
            Outcome::Finished | Outcome::Silent => None,
        };
        let cycle = deadlock.iter().flat_map(|deadlock| &deadlock.cycle);
        let locks: BTreeSet<_> = cycle.clone().map(|stuck| &stuck.waits_for.lock).collect();
        Self {
            threads: THREADS,
            finished: if finished { THREADS } else { 0 },
            heard,
            cycle_threads: cycle.clone().count(),
            cycle_locks: locks.len(),
            exit,
            deadlock,
        }
    }

    /// Threads that were stuck when the child ended were called off.
    fn tally(&self) -> Tally {
        Tally {
            submitted: self.threads as u64,
            done: self.finished as u64,
            cancelled: (self.threads - self.finished) as u64,
            ..Tally::default()
        }
    }
}

/// Runs every scenario in a child and says what came of it.
pub(crate) fn watch(lab: &mut Lab, args: &LockArgs) -> anyhow::Result<()> {
    let (patience, mut silent) = (args.patience.0, Vec::new());
    for (name, scenario, what) in SCENARIOS {
        lab.say(format!("{name}: {what}"));
        let variant = lab.variant(name).other_work();
        let told = variant.run_counted(
            || {
                Ok(Told::new(run_watched(
                    scenario,
                    !args.no_watchdog,
                    patience,
                )?))
            },
            Told::tally,
        )?;
        if let Some(deadlock) = &told.deadlock {
            describe(deadlock).iter().for_each(|line| lab.say(line));
        } else if told.heard {
            lab.say(format!("  both threads finished; the child: {}", told.exit));
        } else {
            let waited = format::seconds(patience);
            lab.say(format!(
                "  not a word in {waited}; the child: {}",
                told.exit
            ));
            silent.push(name);
        }
    }
    if !silent.is_empty() && !args.no_watchdog {
        let (names, waited) = (silent.join("`, `"), format::seconds(patience));
        lab.fail(format!(
            "not a word from the watched child in {waited}: `{names}`; allow more `--patience`"
        ));
    }
    Ok(())
}

/// The threads of the cycle with their locks and lines, and who is stuck behind them.
fn describe(deadlock: &Deadlock) -> Vec<String> {
    let mut lines = Vec::new();
    for stuck in &deadlock.cycle {
        for held in &stuck.holds {
            let (thread, lock) = (&stuck.thread, &held.lock);
            lines.push(format!("  {thread} holds `{lock}`, taken at {}", held.at));
        }
        let (lock, at) = (&stuck.waits_for.lock, &stuck.waits_for.at);
        lines.push(format!("    and waits for `{lock}` at {at}"));
    }
    let names: Vec<&str> = deadlock.cycle.iter().map(|stuck| &*stuck.thread).collect();
    let first = names.first().unwrap_or(&"nobody");
    let circle = names.join(" → ");
    lines.push(format!(
        "  deadlock, found by the child: {circle} → {first}"
    ));
    for stuck in &deadlock.behind {
        let (thread, lock, at) = (&stuck.thread, &stuck.waits_for.lock, &stuck.waits_for.at);
        lines.push(format!("  behind it: {thread}, `{lock}` at {at}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_13_locks_and_rlock::registry::{Asked, Place, Stuck};

    #[test]
    fn a_cycle_is_told_with_locks_threads_and_lines() {
        let asked = |lock: &str, line| Asked {
            lock: lock.into(),
            at: Place {
                file: "bank.rs".into(),
                line,
            },
        };
        let stuck = |thread: &str, holds: &[Asked], waits_for| Stuck {
            thread: thread.into(),
            holds: holds.into(),
            waits_for,
        };
        let deadlock = Deadlock {
            cycle: vec![
                stuck("one", &[asked("a", 1)], asked("b", 2)),
                stuck("two", &[asked("b", 3)], asked("a", 4)),
            ],
            behind: vec![stuck("three", &[], asked("a", 5))],
        };
        let expected = [
            "  one holds `a`, taken at bank.rs:1",
            "    and waits for `b` at bank.rs:2",
            "  two holds `b`, taken at bank.rs:3",
            "    and waits for `a` at bank.rs:4",
            "  deadlock, found by the child: one → two → one",
            "  behind it: three, `a` at bank.rs:5",
        ];
        assert_eq!(describe(&deadlock), expected);
    }
}
