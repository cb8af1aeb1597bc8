//! From ten to ten thousand in flight, threads and tasks in turns.

use crate::{
    args::FxArgs,
    side::{Side, variant},
};
use common::{Bound, Lab, Tally, format};
use lab_19_async_vs_threads_fx::{
    bound,
    burst::{Answered, BurstError, Latencies},
    limits::Machine,
    protocol::{Outcome, Request, Target},
    tasks::{burst_with_tasks, run_on_this_thread},
    threads::burst_with_threads,
    venue::{Counts, Session, Venue},
};
use measure::timing::Usage;
use serde::Serialize;
use std::sync::{Arc, OnceLock};

/// One side at one level, over all rounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) level: usize,
    pub(crate) side: Side,
    /// The limit of this machine that forbids it.
    pub(crate) limit: Option<String>,
    /// What each round gave.
    pub(crate) rounds: Vec<Burst>,
}

/// What one run of a row gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Burst {
    /// From the word go to each answer.
    pub(crate) latencies: Latencies,
    /// How far memory grew past what was held when the run began.
    pub(crate) grown_bytes: Option<u64>,
    /// What the venue counted.
    #[serde(serialize_with = "crate::counted")]
    pub(crate) venue: Arc<OnceLock<Counts>>,
    /// Why requests failed.
    failures: Vec<String>,
    #[serde(skip)]
    outcomes: Vec<Outcome>,
}

impl Row {
    /// The most that memory grew in any round: later ones find some of it in the allocator.
    pub(crate) fn grown_bytes(&self) -> Option<u64> {
        self.rounds
            .iter()
            .filter_map(|burst| burst.grown_bytes)
            .max()
    }

    /// Whether the venue counted as many in flight as there were to be, in every round.
    pub(crate) fn reached_its_level(&self) -> bool {
        let seen = |burst: &Burst| burst.venue.get().map(|counts| counts.peak_in_flight);
        self.rounds
            .iter()
            .all(|burst| seen(burst) == Some(self.level as u64))
    }
}

/// Runs every row; stops at a failure, which it notes.
pub(crate) fn run(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
) -> anyhow::Result<Option<Vec<Row>>> {
    let mut rows = Vec::new();
    for level in args.levels() {
        let requests = args.quotes_for(level);
        let mut pair = Side::BOTH.map(|side| Row {
            level,
            side,
            limit: forbidden(args, level, side),
            rounds: Vec::new(),
        });
        for _ in 0..args.rounds_of(level) {
            for row in pair.iter_mut().filter(|row| row.limit.is_none()) {
                if !run_once(args, lab, venue, target, &requests, row)? {
                    return Ok(None);
                }
            }
        }
        let ran = pair.iter().filter(|row| row.limit.is_none()).count();
        let level = format::count(level as u64);
        lab.say(format!(
            "{level} in flight: sides that ran: {ran} of {}",
            pair.len()
        ));
        rows.extend(pair);
    }
    Ok(Some(rows))
}

fn forbidden(args: &FxArgs, level: usize, side: Side) -> Option<String> {
    let stack = (side == Side::Threads).then(|| args.stack_bytes());
    Machine::inspect().forbids(level, stack)
}

/// Runs a row once more; whether all went well, a limit that forbids it included.
fn run_once(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
    requests: &[Request],
    row: &mut Row,
) -> anyhow::Result<bool> {
    let (name, seed) = (variant(row.side, row.level), lab.seed());
    // The bell: nothing is answered before all have arrived, so that all are in flight at once.
    let session = Session::new(venue, row.level);
    let ran = lab
        .variant(&name)
        .observed_by(&session)
        .other_work()
        .limit(row.level)
        .bound(Bound::Known {
            duration: bound(&args.market(seed), requests, row.level),
            reason: "the longest latency of the row".into(),
        })
        .run_counted(
            || make(args, target, requests, row.side, &session),
            |burst| Tally::of(&burst.outcomes),
        );
    match ran {
        Ok(burst) => {
            let well = crate::note_failures(lab, venue, &name, &burst.outcomes);
            row.rounds.push(burst);
            Ok(well)
        }
        Err(error) => refused(lab, venue, &name, row, error),
    }
}

/// Notes a row that did not come about: a limit in the row itself, anything else as a failure.
fn refused(
    lab: &mut Lab,
    venue: &Venue,
    name: &str,
    row: &mut Row,
    error: anyhow::Error,
) -> anyhow::Result<bool> {
    let Some(burst) = error.downcast_ref::<BurstError>() else {
        return Err(error);
    };
    row.limit = burst.limit();
    if row.limit.is_none() {
        lab.fail(format!("{name}: {burst}{}", crate::ending(venue)));
    }
    Ok(row.limit.is_some())
}

fn make(
    args: &FxArgs,
    target: Target,
    requests: &[Request],
    side: Side,
    session: &Session<'_>,
) -> anyhow::Result<Burst> {
    // The peak starts anew with each run, so here it is what is held now.
    let held = || Usage::of_this_process().peak_rss_bytes;
    let before = held();
    let answered: Vec<Answered> = match side {
        Side::Threads => burst_with_threads(&target, requests, args.stack_bytes())?,
        Side::Tasks => run_on_this_thread(burst_with_tasks(target, requests))??,
    };
    let grown_bytes = held()
        .zip(before)
        .map(|(peak, before)| peak.saturating_sub(before));
    let well = answered.iter().filter(|one| one.outcome.is_ok());
    let latencies = Latencies::of(well.map(|one| one.after));
    let outcomes: Vec<Outcome> = answered.into_iter().map(|one| one.outcome).collect();
    Ok(Burst {
        latencies,
        grown_bytes,
        venue: session.seen(),
        failures: crate::failures(&outcomes),
        outcomes,
    })
}
