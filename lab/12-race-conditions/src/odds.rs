//! How often each race went wrong in many trials, and each repair.

use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Claim, count},
    format,
};
use interleave::force;
use lab_12_race_conditions::{
    programs::{BALANCE, PAYMENT, Withdrawals},
    trials::{
        Mode, Race, audit_beside_transfers, count as count_in_trials, count_sequential,
        withdraw_at_once,
    },
};

/// Trials of the short races per `--trials`: one is over sooner than the meeting before it.
const SHORT_TRIALS: usize = 25;

const MODES: [Mode; 3] = [Mode::Tight, Mode::Widened, Mode::Repaired];

/// A race, its trials of each kind, and how many of them went wrong: tight, widened, repaired.
pub(crate) type Odds = (&'static str, usize, [usize; 3]);

/// The counter: one thread alone, the tight and the widened race, the repair.
pub(crate) fn race_for_a_counter(lab: &mut Lab, race: Race, trials: usize) -> anyhow::Result<Odds> {
    let (threads, expected) = (race.threads.get(), race.expected());
    lab.say(format!(
        "A counter: {threads} × {} increments, {trials} trials of each kind …",
        format::count(race.increments)
    ));
    let alone = lab.variant("one thread").bound(Bound::Work { workers: 1 });
    let alone = alone.run(|| count_sequential(race))?;
    let lost = expected.abs_diff(alone as u64) as usize;
    let lost_alone = lab.count("one thread", "lost_updates", lost);
    let mut wrong = [0; 3];
    let names = ["tight", "widened", "one step"];
    for ((name, mode), wrong) in names.into_iter().zip(MODES).zip(&mut wrong) {
        let variant = lab.variant(name).other_work();
        let got = variant
            .bound(Bound::Work { workers: threads })
            .run_counted(
                || Ok(count_in_trials(race, mode, trials)),
                |got| Tally::all_done(got.len()),
            )?;
        let first = format::count(got[0].max(0) as u64);
        let all = format::count(expected);
        lab.say(format!(
            "  {name}, first trial: Expected: {all}, Got: {first}"
        ));
        *wrong = got.iter().filter(|got| **got != expected as i64).count();
    }
    lab.claim(
        Claim::that(
            "one_thread_loses_nothing",
            "one thread alone lost nothing with the same load and store",
        )
        .check(lost_alone.equals(count(0))),
    );
    let mut note = |at: usize| lab.count(names[at], "trials_that_lost_updates", wrong[at]);
    let (tight, widened, repaired) = (note(0), note(1), note(2));
    let racing = |claim: Claim| match threads {
        1 => claim.otherwise("one thread has no other to race with"),
        _ => claim,
    };
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
        .check(repaired.equals(count(0))),
    );
    Ok(("counter", trials, wrong))
}

/// Check-then-act, and two locks with one invariant; then the odds of all three races.
pub(crate) fn race_in_a_bank(lab: &mut Lab, trials: usize, counter: Odds) -> anyhow::Result<()> {
    let trials = trials * SHORT_TRIALS;
    lab.say(format!(
        "Check-then-act: an account with 100, two threads want 80, {trials} trials …"
    ));
    let left = run(lab, "account", |mode| withdraw_at_once(mode, trials))?;
    let both_check_first = ["ABAB".parse()?];
    let left_by_force = force(&Withdrawals { repaired: false }, &both_check_first)[0].result;
    lab.say(format!(
        "  forced, both check before either acts: {left_by_force} left"
    ));
    lab.say(format!(
        "Two locks, one invariant: 10 of 200 moved during an audit, {trials} trials …"
    ));
    let seen = run(lab, "audit", |mode| audit_beside_transfers(mode, trials))?;
    let wrong = |got: &[Vec<i64>], right: i64| {
        let wrong = |at: usize| got[at].iter().filter(|got| **got != right).count();
        [wrong(0), wrong(1), wrong(2)]
    };
    let account = wrong(&left, BALANCE - PAYMENT);
    let audit = wrong(&seen, 2 * BALANCE);
    show(
        lab,
        &[
            counter,
            ("account", trials, account),
            ("audit", trials, audit),
        ],
    );
    let overdrawn = left_by_force.min(0).unsigned_abs() as usize;
    let overdrawn = lab.count("account", "overdrawn_when_both_had_checked_by", overdrawn);
    lab.claim(
        Claim::that(
            "stale_check_overdraws",
            "both checks before either act, as was forced: the account was overdrawn",
        )
        .check(overdrawn.above(count(0)))
        .headline(),
    );
    let overdrawn = lab.count("account", "widened_trials_overdrawn", account[1]);
    lab.claim(
        Claim::that(
            "widened_window_overdraws",
            "held open, the window let threads overdraw the account without being forced",
        )
        .check(overdrawn.above(count(0))),
    );
    let misled = lab.count("audit", "widened_trials_with_a_wrong_total", audit[1]);
    lab.claim(
        Claim::that(
            "widened_window_misleads_audits",
            "held open, the window let audits see a total that never was",
        )
        .check(misled.above(count(0))),
    );
    let [account, audit] = [("account", account[2]), ("audit", audit[2])]
        .map(|(name, wrong)| lab.count(name, "repaired_trials_that_went_wrong", wrong));
    lab.claim(
        Claim::that(
            "repairs_hold_in_trials",
            "check and act in one section, and both locks at once: no trial went wrong",
        )
        .check(account.equals(count(0)))
        .check(audit.equals(count(0))),
    );
    Ok(())
}

/// Runs a race in each mode as one variant; returns what each trial gave.
fn run(
    lab: &mut Lab,
    name: &str,
    race: impl Fn(Mode) -> Vec<i64>,
) -> anyhow::Result<Vec<Vec<i64>>> {
    let tally = |got: &Vec<Vec<i64>>| Tally::all_done(got.concat().len());
    let variant = lab.variant(name).other_work();
    variant.run_counted(|| Ok(MODES.map(race).into()), tally)
}

fn show(lab: &Lab, odds: &[Odds]) {
    let row = |(race, trials, wrong): &Odds| {
        let of = format::count(*trials as u64);
        let cells = wrong.map(|wrong| format!("{} of {of}", format::count(wrong as u64)));
        [(*race).to_owned()].into_iter().chain(cells).collect()
    };
    lab.table(TableReport {
        title: "Trials that went wrong".into(),
        headings: ["went wrong", "tight", "widened", "repaired"]
            .map(str::to_owned)
            .into(),
        rows: odds.iter().map(row).collect(),
        text_columns: vec![0],
        notes: Vec::new(),
    });
}
