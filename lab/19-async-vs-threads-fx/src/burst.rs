//! From ten to ten thousand in flight, threads and tasks in turns.

use crate::{AllArrived, Stage, args::Args};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{Bytes, Claim, Figure, all_in_flight, bytes, count, threads, times, waits},
    format,
};
use lab_19_async_vs_threads_fx::{
    quotes,
    tasks::{burst_with_tasks, run_on_this_thread},
    threads::burst_with_threads,
};
use measure::{limits, timing::Usage};
use std::collections::{BTreeMap, BTreeSet};

/// Rows past this run once: they take seconds, and their times are shown and not judged.
const LARGE: usize = 2_000;

/// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
const SIDES: [&str; 2] = ["tasks", "threads"];

/// Runs every row, two sides a level, and claims what waiting costs.
pub(crate) fn run(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let levels: BTreeSet<usize> = args.sweep.iter().map(|level| level.get()).collect();
    let (mut ran, mut busiest, mut grown) = (Vec::new(), 0.0_f64, Grown::new());
    for level in levels {
        if let Some(limit) = forbidden(args, level) {
            lab.say(format!(
                "{} in flight: not run; {limit}",
                format::count(level as u64)
            ));
            continue;
        }
        let names = SIDES.map(|side| format!("{} {side}", format::count(level as u64)));
        let rounds = if level > LARGE { 1 } else { args.rounds.get() };
        for _ in 0..rounds {
            for (side, name) in SIDES.into_iter().zip(&names) {
                once(args, lab, stage, (side, name, level), &mut grown)?;
                busiest = busiest.max(stage.venue.counts()?.busy_ratio);
            }
        }
        ran.push((names, level));
    }
    print_table(lab, &ran, &grown);
    let Some(([tasks, by_threads], level)) = ran.last() else {
        return Ok(());
    };
    let text = "in every row all requests were in flight at once, counted by the venue";
    let all = ran.iter().flat_map(|(names, _)| names);
    lab.claim(all.fold(Claim::that("all_in_flight", text), |claim, name| {
        claim.check(all_in_flight(name))
    }));
    let busiest = lab.ratio(None, "the_venue_at_work_at_most", busiest);
    let text = "the venue had time to spare: it worked for less than 3/4 of the time";
    lab.claim(Claim::that("venue_has_time", text).check(busiest.below(times(0.75))));
    claim_cost(lab, [tasks, by_threads], *level, &grown);
    if let Some(([tasks, by_threads], level)) = ran.iter().rfind(|(_, level)| *level <= LARGE) {
        let about = format!("{} in flight", format::count(*level as u64));
        let claim = lab.compare("who_is_faster", &about, [by_threads, tasks]);
        lab.claim(claim);
    }
    Ok(())
}

/// The limit that forbids a row: to try it would end in an error of the system, or in no memory.
fn forbidden(args: &Args, level: usize) -> Option<String> {
    let threads = limits::threads_allowed(args.stack_kib * 1024);
    let mut limits = limits::sockets_allowed().into_iter().chain(threads);
    let limit = limits.find(|limit| limit.value < level as u64)?;
    let [needed, allowed] = [level as u64, limit.value].map(format::count);
    Some(format!(
        "{}: {needed} needed, {allowed} allowed",
        limit.name
    ))
}

/// Runs a row once more, and notes how far memory grew.
fn once(
    args: &Args,
    lab: &mut Lab,
    stage: &Stage,
    (side, name, level): (&str, &str, usize),
    grown: &mut Grown,
) -> anyhow::Result<()> {
    let mut requests = quotes(&args.pairs, level.div_ceil(args.pairs.len()));
    requests.truncate(level);
    let bound = Bound::Known {
        duration: stage.market.bound(1..=level as u64, level),
        reason: "the longest latency of the row".into(),
    };
    let venue = stage.venue.address();
    let all = AllArrived(&stage.venue, level);
    let variant = lab.variant(name).observed_by(&all).other_work();
    let mut more = None;
    variant.limit(level).bound(bound).run_counted(
        || {
            // The peak is reset before each run, so here it is what is held now.
            let before = Usage::of_this_process().peak_rss_bytes;
            let answers = match side {
                "threads" => burst_with_threads(venue, &requests, args.stack_kib * 1024)?,
                _ => run_on_this_thread(burst_with_tasks(venue, &requests))??,
            };
            let peak = Usage::of_this_process().peak_rss_bytes.zip(before);
            more = peak.map(|(peak, before)| peak.saturating_sub(before));
            Ok(answers.len())
        },
        |answers| Tally::all_done(*answers),
    )?;
    if let Some(more) = more {
        let figure = lab.bytes(name, "memory_grew_by", more);
        // Later rounds find some of it in the allocator.
        let most = grown.get(name).map_or(more, |(most, _)| more.max(*most));
        grown.insert(name.to_owned(), (most, figure));
    }
    Ok(())
}

/// By variant: how far memory grew past what was held when a run began.
type Grown = BTreeMap<String, (u64, Figure<Bytes>)>;

/// A row per level: both sides beside each other.
fn print_table(lab: &Lab, ran: &[([String; 2], usize)], grown: &Grown) {
    let cells = |name: &String| {
        let ledger = lab.ledger(name).unwrap_or_default();
        let memory = grown.get(name).map(|(most, _)| *most as f64);
        [
            lab.wall(name).map_or("–".into(), format::seconds),
            memory.map_or("–".into(), format::bytes),
            ledger.threads.map_or("–".into(), format::count),
        ]
    };
    let row = |(names, level): &([String; 2], usize)| {
        let [tasks, threads] = [cells(&names[0]), cells(&names[1])];
        let pairs = tasks.into_iter().zip(threads);
        std::iter::once(format::count(*level as u64))
            .chain(pairs.flat_map(|(task, thread)| [task, thread]))
            .collect()
    };
    let headings = [
        "in flight",
        "time: tasks",
        "threads",
        "memory: tasks",
        "threads",
        "OS threads: tasks",
        "threads",
    ];
    lab.table(TableReport {
        title: "From ten in flight to many".into(),
        headings: headings.map(String::from).into(),
        rows: ran.iter().map(row).collect(),
        text_columns: Vec::new(),
        notes: vec![format!(
            "rows past {} in flight ran once: their times are not judged",
            format::count(LARGE as u64)
        )],
    });
}

/// What those that wait cost, at the largest level.
fn claim_cost(lab: &mut Lab, [task, thread]: [&String; 2], level: usize, grown: &Grown) {
    // The threads are sampled: on a busy machine some are gone before the next look.
    let half = count(level / 2);
    let level = format::count(level as u64);
    let text =
        format!("{level} in flight: as many threads, at least half of them seen, beside one");
    let more = Claim::that("threads", text)
        .check(threads(thread).at_least(half))
        .check(threads(task).equals(count(1)));
    lab.claim(more);
    if let Some(((_, tasks), (_, by_threads))) = grown.get(task).zip(grown.get(thread)) {
        let text =
            format!("{level} waiting threads took over 1.5 times the memory of as many tasks");
        let memory = Claim::that("threads_take_memory", text)
            .check(by_threads.clone().above(tasks.clone() * 1.5))
            // A few pages come and go by themselves.
            .check(by_threads.clone().at_least(bytes(65_536.0)));
        lab.claim(memory.headline());
    }
    let text = "the threads gave up their CPU to wait over twice as often as the tasks";
    let switches = waits(thread).above(waits(task) * 2.0);
    lab.claim(Claim::that("switches", text).check(switches));
}
