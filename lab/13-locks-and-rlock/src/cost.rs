//! What an increment costs under each lock, on one thread and on several, by round.

use crate::{LockArgs, MECHANISMS};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Claim, Figure, Ratio, Seconds, count, seconds, times, wall},
    format, timing,
};
use lab_13_locks_and_rlock::count::{Plan, count_sequential};
use std::{collections::BTreeMap, num::NonZeroUsize};

/// An increment that costs this many times as much costs more.
const MARGIN: f64 = 1.25;

/// A run that is shorter than this is mostly the start of its threads.
const ENOUGH: f64 = 0.002;

/// With no more CPUs busy than this, the threads hardly ran at the same time.
const TURNS: f64 = 1.1;

/// The figures of one mechanism, by round.
struct Cost {
    /// All increments on one thread.
    alone: Figure<Seconds>,
    /// CPU time over wall time on all threads.
    cpus_busy: Figure<Ratio>,
    /// All increments, in seconds: on one thread, and on all.
    times_s: Vec<[f64; 2]>,
}

/// Counts under every lock, on one thread and on several, taking turns; adds the claims.
pub(crate) fn compare(lab: &mut Lab, args: &LockArgs) -> anyhow::Result<()> {
    let (increments, rounds) = (args.increments.get() as u64, args.rounds.rounds.get());
    let threads = args.threads();
    let [alone, shared] = [NonZeroUsize::MIN, threads].map(|threads| Plan {
        threads,
        increments,
    });
    let all = format::count(increments);
    lab.say(format!(
        "{all} increments, on 1 thread and on {threads} together; rounds: {rounds}, taking turns …"
    ));
    let (mut costs, mut lost) = (BTreeMap::<&str, Cost>::new(), 0);
    for _ in 0..rounds {
        measure(lab, "sequential", alone, count_sequential)?;
        for (name, count) in MECHANISMS {
            let (got, time_alone) = timing::timed(|| count(alone));
            let (got_shared, cpus_busy) = measure(lab, name, shared, count)?;
            lost += increments.abs_diff(got) + increments.abs_diff(got_shared);
            let wall_s = lab.walls(name).last().copied().unwrap_or_default();
            let figures = Cost {
                alone: lab.duration(name, "time_on_one_thread", time_alone),
                cpus_busy: lab.ratio(name, "CPUs_busy", cpus_busy),
                times_s: Vec::new(),
            };
            let cost = costs.entry(name).or_insert(figures);
            cost.times_s.push([time_alone.as_secs_f64(), wall_s]);
        }
    }
    show(lab, &costs, threads, increments);
    let lost = lab.count("Mutex", "lost_increments_of_all_ways", lost as usize);
    lab.claim(
        Claim::that(
            "every_increment_counted",
            "in every round, each way counted every increment",
        )
        .check(
            lost.equals(count(0))
                .in_words("{left} increments lost in all"),
        ),
    );
    claim(lab, &costs, threads);
    Ok(())
}

/// What a way counted, and how many CPUs it kept busy.
fn measure(
    lab: &mut Lab,
    name: &str,
    plan: Plan,
    count: fn(Plan) -> u64,
) -> anyhow::Result<(u64, f64)> {
    let workers = plan.threads.get();
    let variant = lab.variant(name).bound(Bound::Work { workers });
    let tally = |got: &u64| Tally {
        submitted: plan.increments,
        done: *got,
        failed: plan.increments.saturating_sub(*got),
        ..Tally::default()
    };
    let got = variant.run_counted(|| Ok(count(plan)), tally)?;
    let recording = lab.recording(name);
    let busy: f64 = recording.jobs().map(|span| span.busy.as_secs_f64()).sum();
    Ok((got, busy / recording.wall.as_secs_f64()))
}

/// A line per mechanism: the cost of an increment on one thread and on all, in the middle round.
fn show(lab: &Lab, costs: &BTreeMap<&str, Cost>, threads: NonZeroUsize, increments: u64) {
    let rows = MECHANISMS.map(|(name, _)| {
        let mut rounds = costs[name].times_s.clone();
        let middle = (rounds.len() - 1) / 2;
        let [alone, shared] = [0, 1].map(|column| {
            rounds.sort_by(|one, other| one[column].total_cmp(&other[column]));
            rounds[middle][column] / increments as f64
        });
        vec![
            name.to_owned(),
            format::seconds_f64(alone),
            format::seconds_f64(shared),
        ]
    });
    lab.table(TableReport {
        title: "Cost of an increment (last row: of a read), middle round".into(),
        headings: vec!["".into(), "1 thread".into(), format!("{threads} threads")],
        rows: rows.into(),
        text_columns: vec![0],
        notes: vec!["wall time of the run / increments of all its threads together".into()],
    });
}

fn claim(lab: &mut Lab, costs: &BTreeMap<&str, Cost>, threads: NonZeroUsize) {
    let alone = |name: &str| costs[name].alone.clone();
    lab.claim(
        Claim::that(
            "lock_costs_alone",
            format!(
                "a lock costs even on one thread: an increment took more than {MARGIN} times as \
                 long as without one"
            ),
        )
        .check(alone("Mutex").at_least(seconds(ENOUGH)))
        .check(alone("Mutex").above(alone("not shared") * MARGIN))
        .headline(),
    );
    lab.claim(
        Claim::that(
            "reentrancy_is_cheap",
            "reentrancy is cheap: alone, less than twice the same library's plain lock",
        )
        .check(alone("parking_lot").at_least(seconds(ENOUGH)))
        .check(alone("ReentrantMutex").below(alone("parking_lot") * 2.0)),
    );
    if threads == NonZeroUsize::MIN {
        return;
    }
    lab.claim(
        Claim::that(
            "contention_costs",
            format!(
                "contention costs: with more than one CPU busy, an increment under the Mutex took \
                 more than {MARGIN} times as long on {threads} threads as on one"
            ),
        )
        .check(alone("Mutex").at_least(seconds(ENOUGH)))
        .check(wall("Mutex").above(alone("Mutex") * MARGIN))
        .check(costs["Mutex"].cpus_busy.clone().above(times(TURNS)))
        .needs_cpus(),
    );
    lab.claim(
        Claim::that(
            "sharing_less_is_cheaper",
            format!(
                "on {threads} threads one atomic step was cheaper than a Mutex, and not sharing \
                 cheaper than both, each by a factor of more than {MARGIN}"
            ),
        )
        .check(wall("Mutex").at_least(seconds(ENOUGH)))
        .check(wall("Mutex").above(wall("fetch_add") * MARGIN))
        .check(wall("fetch_add").above(wall("not shared") * MARGIN)),
    );
}
