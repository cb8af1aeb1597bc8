//! What came of each race in many trials: how often, and what it means.

use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Claim, Count, Figure, count},
    format,
};
use interleave::force;
use lab_12_race_conditions::{
    programs::{BALANCE, MOVED, PAYMENT, Withdrawals},
    trials::{
        Mode, Race, audit_beside_transfers, count as count_in_trials, count_sequential,
        withdraw_at_once,
    },
};

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

/// The outcomes of a race, the right one first, each with what it means.
type Kinds = &'static [(&'static str, &'static str)];

const COUNTS: Kinds = &[
    ("nothing lost", "no store in a window"),
    ("under 1 % lost", "few overwritten"),
    ("1 % or more lost", "many overwritten"),
    ("one's share left", "as if one had counted"),
];

const BALANCES: Kinds = &[
    ("20 left", "one paid, one refused"),
    ("60 overdrawn", "both had checked"),
];

const TOTALS: Kinds = &[
    ("200 seen", "both of one moment"),
    ("190 seen", "10 were in neither"),
    ("210 seen", "10 were in both"),
];

fn kind_of_count(race: Race, got: i64) -> usize {
    let expected = race.expected() as i64;
    let lost = expected - got;
    match lost {
        ..=0 => 0,
        _ if got <= race.increments as i64 => 3,
        _ if lost * 100 >= expected => 2,
        _ => 1,
    }
}

fn kind_of_balance(left: i64) -> usize {
    usize::from(left != BALANCE - PAYMENT)
}

fn kind_of_total(seen: i64) -> usize {
    match seen - 2 * BALANCE {
        0 => 0,
        out if out == -MOVED => 1,
        _ => 2,
    }
}

/// How often each kind came out, by way of running the race.
struct Table {
    kinds: Kinds,
    ways: Vec<(&'static str, Vec<usize>)>,
}

impl Table {
    fn new(kinds: Kinds) -> Self {
        let ways = Vec::new();
        Self { kinds, ways }
    }

    /// Sorts what each trial gave; returns how many went wrong.
    fn add(&mut self, way: &'static str, got: &[i64], kind: impl Fn(i64) -> usize) -> usize {
        let mut times = vec![0; self.kinds.len()];
        got.iter().for_each(|got| times[kind(*got)] += 1);
        let wrong = got.len() - times[0];
        self.ways.push((way, times));
        wrong
    }

    fn show(&self, lab: &Lab, title: &str) {
        let names = self.ways.iter().map(|(name, _)| (*name).to_owned());
        let row = |(kind, (outcome, meaning)): (usize, &(&str, &str))| {
            let cells = self.ways.iter().map(|(_, times)| times[kind].to_string());
            let cells = [(*outcome).to_owned()].into_iter().chain(cells);
            cells.chain([(*meaning).to_owned()]).collect()
        };
        let headings = ["outcome".to_owned()].into_iter().chain(names);
        lab.table(TableReport {
            title: title.into(),
            headings: headings.chain(["what it means".into()]).collect(),
            rows: self.kinds.iter().enumerate().map(row).collect(),
            text_columns: vec![0, self.ways.len() + 1],
            notes: Vec::new(),
        });
    }
}

/// The counter: one thread alone, the tight and the widened race, the repair; then their table.
pub(crate) fn race_for_a_counter(lab: &mut Lab, race: Race, trials: usize) -> anyhow::Result<()> {
    let (threads, each) = (race.threads.get(), format::count(race.increments));
    lab.say(format!(
        "A counter: {threads} × {each} increments, {trials} trials of each kind …"
    ));
    let alone = lab
        .variant("one thread")
        .bound(Bound::Work { workers: 1 })
        .run(|| count_sequential(race))?;
    let lost = race.expected().abs_diff(alone as u64) as usize;
    let lost_alone = lab.count("one thread", "lost_updates", lost);
    let mut table = Table::new(COUNTS);
    let mut run = |lab: &mut Lab, name, mode| {
        let bound = Bound::Work { workers: threads };
        let got = lab.variant(name).other_work().bound(bound).run_counted(
            || Ok(count_in_trials(race, mode, trials)),
            |got| Tally::all_done(got.len()),
        )?;
        lab.say(format!(
            "  {name}, first trial: Expected: {}, Got: {}",
            format::count(race.expected()),
            format::count(got[0].max(0) as u64)
        ));
        let wrong = table.add(name, &got, |got| kind_of_count(race, got));
        anyhow::Ok(lab.count(name, "trials_that_lost_updates", wrong))
    };
    let tight = run(lab, "tight", Mode::Tight)?;
    let widened = run(lab, "widened", Mode::Widened)?;
    let repaired = run(lab, "one step", Mode::Repaired)?;
    table.show(
        lab,
        "What became of the increments, in how many of the trials",
    );
    claim_odds(lab, race, trials, [lost_alone, tight, widened, repaired]);
    Ok(())
}

fn claim_odds(
    lab: &mut Lab,
    race: Race,
    trials: usize,
    [alone, tight, widened, repaired]: [Figure<Count>; 4],
) {
    let racing = |claim: Claim| match race.threads.get() {
        1 => claim.otherwise("one thread has no other to race with"),
        _ => claim,
    };
    lab.claim(
        Claim::that(
            "one_thread_loses_nothing",
            "one thread alone lost nothing with the same load and store",
        )
        .check(alone.equals(count(0))),
    );
    lab.claim(racing(
        Claim::that(
            "widened_window_loses",
            "held open, the window lost updates in every trial",
        )
        .check(widened.equals(count(trials)))
        .headline(),
    ));
    lab.claim(racing(
        Claim::that(
            "tight_loop_loses",
            format!("the tight loop lost updates in one trial or more of {trials}"),
        )
        .check(tight.above(count(0)))
        .needs_cpus(),
    ));
    lab.claim(
        Claim::that(
            "one_step_loses_nothing",
            "in one step, no trial lost an update",
        )
        .check(repaired.equals(count(0)))
        .headline(),
    );
}

/// The second and the third race: check-then-act, and two locks with one invariant.
pub(crate) fn race_for_an_account(lab: &mut Lab, trials: usize) -> anyhow::Result<()> {
    let trials = trials * SHORT_TRIALS;
    lab.say(format!(
        "Check-then-act: an account with 100, two threads want 80, {trials} trials …"
    ));
    let ways = [
        ("tight", Mode::Tight),
        ("widened", Mode::Widened),
        ("repaired", Mode::Repaired),
    ];
    let tally = |got: &Vec<Vec<i64>>| Tally::all_done(got.iter().map(Vec::len).sum());
    let account = lab.variant("account").other_work().run_counted(
        || Ok(ways.map(|(_, mode)| withdraw_at_once(mode, trials)).into()),
        tally,
    )?;
    let both_check_first = ["ABAB".parse()?];
    let forced = force(&Withdrawals { repaired: false }, &both_check_first).remove(0);
    let overdrawn = forced.result.min(0).unsigned_abs() as usize;
    lab.say(format!(
        "  forced, both check before either acts: {} left",
        forced.result
    ));
    let overdrawn = lab.count("account", "overdrawn_when_both_had_checked_by", overdrawn);
    let (mut balances, mut totals) = (Table::new(BALANCES), Table::new(TOTALS));
    let wrong = |((way, _), got): (&(&'static str, Mode), &Vec<i64>)| {
        balances.add(way, got, kind_of_balance)
    };
    let account_wrong: Vec<usize> = ways.iter().zip(&account).map(wrong).collect();
    balances.show(
        lab,
        "What was left of the account, in how many of the trials",
    );
    lab.say(format!(
        "Two locks, one invariant: 10 of 200 moved during an audit, {trials} trials …"
    ));
    let audit = lab.variant("audit").other_work().run_counted(
        || {
            Ok(ways
                .map(|(_, mode)| audit_beside_transfers(mode, trials))
                .into())
        },
        tally,
    )?;
    let wrong =
        |((way, _), got): (&(&'static str, Mode), &Vec<i64>)| totals.add(way, got, kind_of_total);
    let audit_wrong: Vec<usize> = ways.iter().zip(&audit).map(wrong).collect();
    totals.show(lab, "What the audit saw, in how many of the trials");
    claim_bank(lab, overdrawn, &account_wrong, &audit_wrong);
    Ok(())
}

fn claim_bank(lab: &mut Lab, overdrawn: Figure<Count>, account: &[usize], audit: &[usize]) {
    lab.claim(
        Claim::that(
            "stale_check_overdraws",
            "both checks before either act, as was forced: the account was overdrawn",
        )
        .check(overdrawn.above(count(0)))
        .headline(),
    );
    let widened = [
        ("account", "widened_trials_overdrawn", account[1]),
        ("audit", "widened_trials_with_a_wrong_total", audit[1]),
    ];
    let [overdrawn, misseen] =
        widened.map(|(variant, name, wrong)| lab.count(variant, name, wrong));
    lab.claim(
        Claim::that(
            "widened_window_overdraws",
            "held open, the window let threads overdraw the account without being forced",
        )
        .check(overdrawn.above(count(0))),
    );
    lab.claim(
        Claim::that(
            "widened_window_misleads_audits",
            "held open, the window let audits see a total that never was",
        )
        .check(misseen.above(count(0))),
    );
    let repaired = [("account", account[2]), ("audit", audit[2])];
    let repairs = Claim::that(
        "repairs_hold_in_trials",
        "check and act in one section, and both locks at once: no trial went wrong",
    );
    let repairs = repaired
        .into_iter()
        .fold(repairs, |claim, (variant, wrong)| {
            let wrong = lab.count(variant, "repaired_trials_that_went_wrong", wrong);
            claim.check(wrong.equals(count(0)))
        });
    lab.claim(repairs);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    #[test]
    fn counts_are_sorted_by_what_is_lost() {
        let race = Race {
            threads: NonZeroUsize::new(2).expect("two is not zero"),
            increments: 1_000,
        };
        let kinds = [2_000, 1_999, 1_980, 1_001, 1_000, 1].map(|got| kind_of_count(race, got));
        assert_eq!(kinds, [0, 1, 2, 2, 3, 3]);
    }
}
