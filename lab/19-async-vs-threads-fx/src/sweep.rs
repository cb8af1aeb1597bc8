//! From ten to ten thousand in flight, threads and tasks in turns.

use crate::{args::FxArgs, session::Session};
use common::{Bound, Curve, CurveLine, CurvePoint, Lab, Scale, TableReport, Tally, format};
use lab_19_async_vs_threads_fx::{
    bound,
    burst::{Answered, BurstError, Latencies},
    protocol::{Outcome, Target},
    tasks::{burst_with_tasks, run_on_this_thread},
    threads::burst_with_threads,
};
use measure::{limits, timing::Usage};
use web::venue::{Counts, Request, Venue};

/// Who has the requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Tasks,
    Threads,
}

impl Side {
    /// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
    const BOTH: [Self; 2] = [Self::Tasks, Self::Threads];

    fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Threads => "threads",
        }
    }
}

/// One side at one level, over all rounds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) level: usize,
    side: Side,
    /// Its variant.
    pub(crate) name: String,
    /// The limit of this machine that forbids it.
    pub(crate) limit: Option<String>,
    pub(crate) rounds: Vec<Burst>,
}

/// What one run of a row gave.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    /// From the moment when all may ask to each answer.
    latencies: Latencies,
    /// How far memory grew past what was held when the run began.
    grown_bytes: Option<u64>,
    /// What the venue counted.
    pub(crate) venue: Counts,
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

    pub(crate) fn busiest_venue(&self) -> f64 {
        let busy = self.rounds.iter().map(|burst| burst.venue.busy_ratio());
        busy.fold(0.0, f64::max)
    }
}

/// Runs every row, two sides a level; stops at a failure, which it notes.
pub(crate) fn run(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
) -> anyhow::Result<Option<Vec<[Row; 2]>>> {
    let mut rows = Vec::new();
    for level in args.levels() {
        let requests = args.quotes_for(level);
        let shown = format::count(level as u64);
        lab.say(format!("{shown} in flight …"));
        let mut pair = Side::BOTH.map(|side| Row {
            level,
            side,
            name: format!("{} {shown}", side.name()),
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
        rows.push(pair);
    }
    say(lab, &rows);
    keep_curve(args, lab, &rows);
    Ok(Some(rows))
}

/// The limit that forbids a row; to be tried would end in an error of the system, or in no memory.
fn forbidden(args: &FxArgs, level: usize, side: Side) -> Option<String> {
    let threads = || limits::threads_allowed(args.stack_bytes());
    let threads = (side == Side::Threads).then(threads).flatten();
    let mut limits = limits::sockets_allowed().into_iter().chain(threads);
    let limit = limits.find(|limit| limit.value < level as u64)?;
    let [needed, allowed] = [level as u64, limit.value].map(format::count);
    Some(format!(
        "{}: {needed} needed, {allowed} allowed",
        limit.name
    ))
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
    // The bell: nothing is answered before all have arrived, so that all are in flight at once.
    let session = Session::new(venue, row.level);
    let bound = Bound::Known {
        duration: bound(&args.market(lab.seed()), requests, row.level),
        reason: "the longest latency of the row".into(),
    };
    let variant = lab.variant(&row.name).observed_by(&session).other_work();
    let mut made = None;
    let ran = variant.limit(row.level).bound(bound).run_counted(
        || {
            Ok(made
                .insert(make(args, target, requests, row.side)?)
                .latencies)
        },
        |latencies| Tally {
            submitted: row.level as u64,
            done: latencies.count,
            failed: row.level as u64 - latencies.count,
            ..Tally::default()
        },
    );
    if let Err(error) = ran {
        return refused(lab, venue, row, error);
    }
    let mut burst = made.expect("it ran");
    burst.venue = session.seen();
    let is_well = crate::note_failures(lab, venue, &row.name, &burst.outcomes);
    row.rounds.push(burst);
    Ok(is_well)
}

fn make(args: &FxArgs, target: Target, requests: &[Request], side: Side) -> anyhow::Result<Burst> {
    // The peak is reset before each run, so here it is what is held now.
    let held = || Usage::of_this_process().peak_rss_bytes;
    let before = held();
    let answered: Vec<Answered> = match side {
        Side::Threads => burst_with_threads(&target, requests, args.stack_bytes())?,
        Side::Tasks => run_on_this_thread(burst_with_tasks(target, requests))??,
    };
    let peak = held().zip(before);
    let well = answered.iter().filter(|one| one.outcome.is_ok());
    Ok(Burst {
        latencies: Latencies::of(well.map(|one| one.after)),
        grown_bytes: peak.map(|(peak, before)| peak.saturating_sub(before)),
        venue: Counts::default(),
        outcomes: answered.into_iter().map(|one| one.outcome).collect(),
    })
}

/// Notes a row that did not run: a limit in the row itself, anything else as a failure.
fn refused(
    lab: &mut Lab,
    venue: &Venue,
    row: &mut Row,
    error: anyhow::Error,
) -> anyhow::Result<bool> {
    let Some(burst) = error.downcast_ref::<BurstError>() else {
        return Err(error);
    };
    row.limit = burst.limit();
    if row.limit.is_none() {
        lab.fail(format!("{}: {burst}{}", row.name, crate::ending(venue)));
    }
    Ok(row.limit.is_some())
}

/// Prints a row for each that ran, and a line for each that a limit forbids.
fn say(lab: &Lab, rows: &[[Row; 2]]) {
    let names = [
        "",
        "wall",
        "p99",
        "threads",
        "memory",
        "waits",
        "venue at work",
    ];
    let cells = |row: &Row| {
        let ledger = lab.ledger(&row.name)?;
        let p99 = row.rounds.iter().map(|burst| burst.latencies.p99_s);
        let count = |value: Option<u64>| value.map_or("–".into(), format::count);
        Some(vec![
            row.name.clone(),
            format::seconds(lab.wall(&row.name)?),
            format::seconds_f64(p99.fold(0.0, f64::max)),
            count(ledger.threads),
            row.grown_bytes()
                .map_or("–".into(), |bytes| format::bytes(bytes as f64)),
            count(ledger.voluntary_switches),
            format::percent(row.busiest_venue()),
        ])
    };
    lab.table(TableReport {
        title: "The sweep: from ten in flight to many".into(),
        headings: names.map(String::from).into(),
        rows: rows.iter().flatten().filter_map(cells).collect(),
        text_columns: vec![0],
        notes: vec![
            "p99: until the answer, in the slowest round; memory: how far it grew at most".into(),
        ],
    });
    for row in rows.iter().flatten() {
        if let Some(limit) = &row.limit {
            lab.explain(format!("  {}: not run; {limit}", row.name));
        }
    }
}

fn keep_curve(args: &FxArgs, lab: &Lab, rows: &[[Row; 2]]) {
    let market = args.market(lab.seed());
    let point = |row: &Row| {
        let attainable = bound(&market, &args.quotes_for(row.level), row.level);
        let walls = lab.walls(&row.name);
        CurvePoint::of(row.level as f64, &walls, Some(attainable.as_secs_f64()))
    };
    let line = |side: Side| CurveLine {
        name: side.name().into(),
        points: rows
            .iter()
            .flatten()
            .filter(|row| row.side == side)
            .filter_map(point)
            .collect(),
        knee: None,
    };
    lab.curve(Curve {
        title: "Wall time of a burst of quotes, by how many are in flight at once".into(),
        axis: "requests in flight".into(),
        scale: Scale::Seconds,
        lines: Side::BOTH.map(line).into(),
        bound_reason: Some("the longest latency of the row".into()),
    });
}
