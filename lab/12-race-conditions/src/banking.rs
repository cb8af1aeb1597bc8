//! The second and the third race: check-then-act, and two locks with one invariant.

use anyhow::Context;
use common::{Lab, Tally};
use lab_12_race_conditions::{
    bank::{Mode, audit_beside_transfers, overdraw_by_force, withdraw_at_once},
    outcome::{BALANCES, TOTALS, Trials, kind_of_balance, kind_of_total, lines, table},
};
use serde::Serialize;

/// Why a race was not run.
const NO_THREADS: &str = "cannot start two threads";

/// Trials of these races per `--trials`: one is over sooner than the meeting at the barrier before it.
const SHORT_TRIALS: usize = 25;

/// A race run tight, widened and repaired.
#[derive(Serialize)]
struct Ways {
    tight: Trials,
    widened: Trials,
    repaired: Trials,
    /// What was left when both checks came first, where that can be forced.
    left_when_forced: Option<i64>,
}

impl Ways {
    fn each(&self) -> [(&'static str, &Trials); 3] {
        [
            ("tight", &self.tight),
            ("widened", &self.widened),
            ("repaired", &self.repaired),
        ]
    }

    fn tally(&self) -> Tally {
        let trials = self.each().map(|(_, trials)| trials.trials);
        Tally::all_done(trials.iter().sum())
    }
}

/// Check-then-act: two withdrawals of 80 from an account with 100.
pub(crate) fn race_for_an_account(lab: &mut Lab, trials: usize) -> anyhow::Result<()> {
    let times = trials * SHORT_TRIALS;
    lab.say(format!(
        "Check-then-act: an account with 100, two threads want 80, {times} trials …"
    ));
    let run = |mode| {
        let left = withdraw_at_once(mode, times).context(NO_THREADS)?;
        Ok::<_, anyhow::Error>(Trials::sort(&BALANCES, &left, kind_of_balance))
    };
    let race = || {
        Ok(Ways {
            tight: run(Mode::Tight)?,
            widened: run(Mode::Widened)?,
            repaired: run(Mode::Repaired)?,
            left_when_forced: Some(overdraw_by_force().context(NO_THREADS)?),
        })
    };
    let ways = lab
        .variant("account")
        .other_work()
        .run_counted(race, Ways::tally)?;
    if let Some(left) = ways.left_when_forced {
        lab.say(format!(
            "  forced, both check before either acts: {left} left"
        ));
    }
    let title = "What was left of the account, in how many of the trials";
    let table = table(title, &BALANCES, &ways.each());
    for line in lines(&table) {
        lab.say(format!("  {line}"));
    }
    lab.keep_table(table);
    Ok(())
}

/// Two locks, one invariant: audits of two accounts between which money is moved.
pub(crate) fn race_for_an_audit(lab: &mut Lab, trials: usize) -> anyhow::Result<()> {
    let times = trials * SHORT_TRIALS;
    lab.say(format!(
        "Two locks, one invariant: 10 of 200 moved during an audit, {times} trials …"
    ));
    let run = |mode| {
        let seen = audit_beside_transfers(mode, times).context(NO_THREADS)?;
        Ok::<_, anyhow::Error>(Trials::sort(&TOTALS, &seen, kind_of_total))
    };
    let race = || {
        Ok(Ways {
            tight: run(Mode::Tight)?,
            widened: run(Mode::Widened)?,
            repaired: run(Mode::Repaired)?,
            left_when_forced: None,
        })
    };
    let ways = lab
        .variant("audit")
        .other_work()
        .run_counted(race, Ways::tally)?;
    let title = "What the audit saw, in how many of the trials";
    let table = table(title, &TOTALS, &ways.each());
    for line in lines(&table) {
        lab.say(format!("  {line}"));
    }
    lab.keep_table(table);
    Ok(())
}
