//! What an increment costs under each lock, on one thread and on several, by round.

use crate::{MECHANISMS, args::LockArgs};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Check, Claim, Figure, Seconds, busy, count, middle_wall, seconds, times, wall},
    format, timing,
};
use lab_13_locks_and_rlock::count::{Plan, count_sequential};
use std::{collections::BTreeMap, num::NonZeroUsize};

/// An increment that costs this many times as much costs more.
const MARGIN: f64 = 1.25;

/// A run that is shorter than this is mostly the start of its threads, in seconds.
const ENOUGH: f64 = 0.002;

/// With no more CPUs busy than this, the threads hardly ran at the same time.
const TURNS: f64 = 1.1;

/// By mechanism: the time that all increments took on one thread.
type Alone = BTreeMap<&'static str, Figure<Seconds>>;

/// Counts under every lock, on one thread and on several, taking turns; adds the claims.
pub(crate) fn compare(lab: &mut Lab, args: &LockArgs) -> anyhow::Result<()> {
    let (increments, rounds) = (args.increments.get() as u64, args.rounds.rounds.get());
    let threads = args.threads();
    let [one, shared] = [NonZeroUsize::MIN, threads].map(|threads| Plan {
        threads,
        increments,
    });
    let all = format::count(increments);
    lab.say(format!(
        "{all} increments, on 1 thread and on {threads} together; rounds: {rounds}, taking turns …"
    ));
    let (mut alone, mut times, mut lost) = (Alone::new(), BTreeMap::<_, Vec<f64>>::new(), 0);
    for _ in 0..rounds {
        measure(lab, "sequential", one, count_sequential)?;
        for (name, count) in MECHANISMS {
            let (got, time) = timing::timed(|| count(one));
            let got_shared = measure(lab, name, shared, count)?;
            lost += increments.abs_diff(got) + increments.abs_diff(got_shared);
            alone.insert(name, lab.duration(name, "time_on_one_thread", time));
            times.entry(name).or_default().push(time.as_secs_f64());
        }
    }
    let cost = |times: Vec<f64>| {
        let cost = middle(times) / increments as f64;
        format::seconds_f64(cost)
    };
    let row = |(name, _): (&str, _)| {
        vec![
            name.to_owned(),
            cost(times[name].clone()),
            cost(lab.walls(name)),
        ]
    };
    lab.table(TableReport {
        title: "Cost of an increment (last row: of a read), middle round".into(),
        headings: vec![
            String::new(),
            "1 thread".into(),
            format!("{threads} threads"),
        ],
        rows: MECHANISMS.map(row).into(),
        text_columns: vec![0],
        notes: vec!["wall time of the run / increments of all its threads together".into()],
    });
    let lost = lab.count(None::<&str>, "lost_increments", lost as usize);
    let lost = lost
        .equals(count(0))
        .in_words("{left} increments lost in all ways and rounds");
    let text = "in every round, each way counted every increment";
    lab.claim(Claim::that("every_increment_counted", text).check(lost));
    claim(lab, &alone, threads);
    Ok(())
}

/// The middle of several times, the lower of two.
fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) / 2]
}

fn measure(lab: &mut Lab, name: &str, plan: Plan, count: fn(Plan) -> u64) -> anyhow::Result<u64> {
    let workers = plan.threads.get();
    let variant = lab.variant(name).bound(Bound::Work { workers });
    let tally = |got: &u64| Tally {
        submitted: plan.increments,
        done: *got,
        failed: plan.increments.saturating_sub(*got),
        ..Tally::default()
    };
    variant.run_counted(|| Ok(count(plan)), tally)
}

fn claim(lab: &mut Lab, alone: &Alone, threads: NonZeroUsize) {
    let alone = |name: &str| alone[name].clone();
    let is_enough = |figure: Figure<Seconds>| -> Check { figure.at_least(seconds(ENOUGH)) };
    let text = format!(
        "a lock costs even on one thread: an increment took more than {MARGIN} times as long as \
         without one"
    );
    lab.claim(
        Claim::that("lock_costs_alone", text)
            .check(is_enough(alone("Mutex")))
            .check(alone("Mutex").above(alone("not shared") * MARGIN))
            .headline(),
    );
    let text = "reentrancy is cheap: alone, less than twice the same library's plain lock";
    lab.claim(
        Claim::that("reentrancy_is_cheap", text)
            .check(is_enough(alone("parking_lot")))
            .check(alone("ReentrantMutex").below(alone("parking_lot") * 2.0)),
    );
    if threads == NonZeroUsize::MIN {
        return;
    }
    let text = format!(
        "contention costs: with more than one CPU busy, an increment under the Mutex took more than \
         {MARGIN} times as long on {threads} threads as on one"
    );
    let cpus_busy = busy("Mutex") / middle_wall("Mutex");
    lab.claim(
        Claim::that("contention_costs", text)
            .check(is_enough(alone("Mutex")))
            .check(wall("Mutex").above(alone("Mutex") * MARGIN))
            .check(
                cpus_busy
                    .above(times(TURNS))
                    .in_words("in its middle round `Mutex` kept {left} CPUs busy, on average"),
            )
            .needs_cpus(),
    );
    let text = format!(
        "on {threads} threads one atomic step was cheaper than a Mutex, and not sharing cheaper than \
         both, each by a factor of more than {MARGIN}"
    );
    lab.claim(
        Claim::that("sharing_less_is_cheaper", text)
            .check(is_enough(wall("Mutex")))
            .check(wall("Mutex").above(wall("fetch_add") * MARGIN))
            .check(wall("fetch_add").above(wall("not shared") * MARGIN)),
    );
}
