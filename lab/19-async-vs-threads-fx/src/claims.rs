//! The script's trade; from ten to ten thousand in flight; and pricing, where async does not shine.

use crate::{Stage, flags::Args};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{
        Bytes, Claim, Figure, Ratio, Seconds, all_in_flight, bytes, count, in_flight, threads,
        times,
    },
    format,
};
use lab_19_async_vs_threads_fx::{
    orders,
    pricing::{Book, EVERY, TICKS, price_beside, price_on_executor, quote_beside},
    quotes,
    tasks::{burst_with_tasks, run_on_this_thread, trade_with_tasks},
    threads::{burst_with_threads, trade_with_threads},
};
use measure::{limits, timing::Usage};
use serde::Serialize;
use std::{collections::BTreeSet, io, num::NonZeroUsize};
use web::venue::{Answer, Ask, Request};

/// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
const SIDES: [&str; 2] = [TASKS, THREADS];
const TASKS: &str = "tasks";
const THREADS: &str = "threads";

/// Asks everything; answers are in the order of the requests.
type Way<'a> = &'a dyn Fn(&[Request]) -> io::Result<Vec<Answer>>;

/// Asks for twenty quotes, five at a time, then orders the best ones; claims that both sides did the same.
pub(crate) fn trade(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let (limit, rounds, venue) = (args.workers, args.rounds.get(), stage.venue.address());
    let quotes = quotes(&args.pairs, args.repeats.get());
    let all = quotes.len();
    lab.say(format!(
        "{all} quotes and an order per best one, {limit} at a time, {rounds} rounds …"
    ));
    let with_threads = |requests: &_| trade_with_threads(venue, requests, limit);
    let with_tasks = |requests: &_| run_on_this_thread(trade_with_tasks(venue, requests, limit))?;
    let ways: [Way<'_>; 2] = [&with_tasks, &with_threads];
    let (mut differ, mut traded) = (0, Vec::new());
    for _ in 0..rounds {
        let [by_threads, by_tasks] = [1, 0].map(|side| {
            measure(
                lab,
                stage,
                SIDES[side],
                [all, limit.get(), 0],
                Vec::len,
                || {
                    let mut answers = ways[side](&quotes)?;
                    answers.extend(ways[side](&orders(&quotes, &answers))?);
                    Ok(answers)
                },
            )
        });
        let (by_threads, by_tasks) = (by_threads?, by_tasks?);
        differ += usize::from(by_threads.is_some() && by_tasks.is_some() && by_threads != by_tasks);
        traded = by_tasks.unwrap_or_default();
    }
    for request in orders(&quotes, &traded) {
        if let Ask::Order(pair, price) = request.ask {
            lab.say(format!("{pair}: bought at {}", pair.written(price)));
        }
    }
    let text = "one limit: the venue saw as many in flight from either as allowed";
    let at_once = |side| in_flight(side).equals(count(limit.get().min(all)));
    let one_limit = Claim::that("one_limit", text).check(at_once(THREADS));
    lab.claim(one_limit.check(at_once(TASKS)));
    let differ = lab.count(None, "rounds_with_other_answers", differ);
    let text = "threads and tasks got the same quotes and fills";
    lab.claim(Claim::that("same_answers", text).check(differ.equals(count(0))));
    let tie = lab.compare("a_tie", &format!("{limit} at a time"), [THREADS, TASKS]);
    lab.claim(tie.headline());
    Ok(())
}

/// Runs `work`, which asks for so many quotes, `at_once` at a time; `answers` counts what it got.
///
/// Before `bell` requests have arrived, the venue answers none.
fn measure<T: Serialize>(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    [quotes, at_once, bell]: [usize; 3],
    answers: fn(&T) -> usize,
    mut work: impl FnMut() -> io::Result<T>,
) -> anyhow::Result<Option<T>> {
    stage.bell.set(bell);
    let bound = Bound::Known(
        stage.market.bound(1..=quotes as u64, at_once),
        format!("the latencies of the quotes, {at_once} at a time"),
    );
    let variant = lab.variant(name).observed_by(stage).bound(bound);
    let variant = variant.limit(at_once.min(quotes));
    let variant = match bell {
        0 => variant,
        _ => variant.other_work(),
    };
    variant.run_counted(|| Ok(work()?), |got| Tally::all_done(answers(got)))
}

/// Rows past this run once: they take seconds, and their times are shown and not judged.
const LARGE: usize = 2_000;
const GREW: &str = "memory_grew_by";
const WORKED: &str = "part_of_its_time_that_the_venue_worked";

/// Runs every level on both sides, and claims what waiting costs.
pub(crate) fn burst(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let levels: BTreeSet<usize> = args.sweep.iter().map(|level| level.get()).collect();
    let (mut ran, mut rows) = (Vec::new(), Vec::new());
    for level in levels {
        let shown = format::count(level as u64);
        if let Some(limit) = forbidden(args, level) {
            lab.say(format!("{shown} in flight: not run; {limit}"));
            continue;
        }
        let names = SIDES.map(|side| format!("{shown} {side}"));
        let mut grew = [0; 2];
        let rounds = if level > LARGE { 1 } else { args.rounds.get() };
        for side in (0..rounds).flat_map(|_| 0..2) {
            let more = burst_once(args, lab, stage, level, (SIDES[side], &names[side]))?;
            // Later rounds find some of it in the allocator.
            grew[side] = more.max(grew[side]);
        }
        rows.push(row(lab, shown, &names, grew));
        ran.push((names, level));
    }
    let Some((largest, level)) = ran.last() else {
        return Ok(());
    };
    let text = "in every row all requests were in flight at once, counted by the venue";
    let all = ran.iter().flat_map(|(names, _)| names);
    let all = all.fold(Claim::that("all_in_flight", text), |claim, name| {
        claim.check(all_in_flight(name))
    });
    lab.claim(all);
    let worked = Figure::<Ratio>::noted(None, WORKED);
    let text = "the venue had time to spare: it worked for less than 3/4 of the time";
    lab.claim(Claim::that("venue_has_time", text).check(worked.below(times(0.75))));
    claim_cost(lab, largest, *level);
    if let Some(([tasks, threads], level)) = ran.iter().rfind(|(_, level)| *level <= LARGE) {
        let about = format!("{} in flight", format::count(*level as u64));
        let claim = lab.compare("who_is_faster", &about, [threads, tasks]);
        lab.claim(claim);
    }
    let headings = "in flight,time: tasks,threads,memory: tasks,threads,OS threads: tasks,threads";
    lab.table(TableReport {
        title: "From ten in flight to many".into(),
        headings: headings.split(',').map(String::from).collect(),
        rows,
        notes: vec![format!(
            "rows past {} in flight ran once: their times are not judged",
            format::count(LARGE as u64)
        )],
        ..TableReport::default()
    });
    Ok(())
}

/// The limit that forbids a row: to try it would end in an error of the system, or in no memory.
fn forbidden(args: &Args, level: usize) -> Option<String> {
    let threads = limits::threads_allowed(args.stack_kib.get() * 1024);
    let mut limits = limits::sockets_allowed().into_iter().chain(threads);
    let limit = limits.find(|limit| limit.value < level as u64)?;
    let [needed, allowed] = [level as u64, limit.value].map(format::count);
    let name = limit.name;
    Some(format!("{name}: {needed} needed, {allowed} allowed"))
}

/// Runs a row once more; returns how far memory grew past what was held before.
fn burst_once(
    args: &Args,
    lab: &mut Lab,
    stage: &Stage,
    level: usize,
    (side, name): (&str, &str),
) -> anyhow::Result<u64> {
    let mut requests = quotes(&args.pairs, level.div_ceil(args.pairs.len()));
    requests.truncate(level);
    let (venue, stack_bytes) = (stage.venue.address(), args.stack_kib.get() * 1024);
    // The peak is reset before each run: at its start it is what is held then.
    let peak = || Usage::of_this_process().peak_rss_bytes.unwrap_or_default();
    let mut grew = 0;
    measure(
        lab,
        stage,
        name,
        [level; 3],
        |all| *all,
        || {
            let before = peak();
            let answers = match side {
                THREADS => burst_with_threads(venue, &requests, stack_bytes)?,
                _ => run_on_this_thread(burst_with_tasks(venue, &requests))??,
            };
            grew = peak().saturating_sub(before);
            Ok(answers.len())
        },
    )?;
    lab.bytes(name, GREW, grew);
    lab.ratio(None, WORKED, stage.venue.counts()?.busy_ratio);
    Ok(grew)
}

/// Both sides beside each other: time, memory, threads.
fn row(lab: &Lab, shown: String, names: &[String; 2], grew: [u64; 2]) -> Vec<String> {
    let mut row = vec![shown];
    let wall = |name: &String| lab.wall(name).map_or("–".into(), format::seconds);
    row.extend(names.iter().map(wall));
    row.extend(grew.map(|grew| format::bytes(grew as f64)));
    let threads = names.iter().map(|name| lab.ledger(name)?.threads);
    row.extend(threads.map(|threads| threads.map_or("–".into(), format::count)));
    row
}

/// What those that wait cost, at the largest level.
fn claim_cost(lab: &mut Lab, [task, thread]: &[String; 2], level: usize) {
    // The threads are sampled: on a busy machine some are gone before the next look.
    let half = count(level / 2);
    let level = format::count(level as u64);
    let text =
        format!("{level} in flight: as many threads, at least half of them seen, beside one");
    let more = Claim::that("threads", text)
        .check(threads(thread).at_least(half))
        .check(threads(task).equals(count(1)));
    lab.claim(more);
    let grew = |name: &String| Figure::<Bytes>::noted(Some(name), GREW);
    let text = format!("{level} waiting threads took over 1.5 times the memory of as many tasks");
    let memory = Claim::that("threads_take_memory", text)
        .check(grew(thread).above(grew(task) * 1.5))
        // A few pages come and go by themselves.
        .check(grew(thread).at_least(bytes(65_536.0)));
    lab.claim(memory.headline());
}

const ALONE: &str = "light quotes alone";
const EXECUTOR: &str = "pricing on executor";
const BESIDE: &str = "pricing beside it";
const P99: &str = "p99_of_the_light_quotes";

/// Quotes alone, beside pricing on the executor and off it, and claims what pricing does to the quotes.
pub(crate) fn price(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let (calls, paths, seed) = (4, args.paths.get() as u64, lab.seed());
    let book = Book { calls, paths, seed };
    let every = format::seconds(EVERY);
    lab.say(format!(
        "a light quote is due every {every}; beside it {calls} options are priced …"
    ));
    // One CPU stays with the executor, where there is more than one.
    let at_once = NonZeroUsize::new(lab.cpus() - 1).unwrap_or(NonZeroUsize::MIN);
    let expected: Vec<f64> = (0..calls).map(|number| book.price(number)).collect();
    let mut differ = 0;
    for _ in 0..args.rounds.get() {
        quote(lab, stage, ALONE, async || Vec::new())?;
        let on_executor = quote(lab, stage, EXECUTOR, || price_on_executor(book))?;
        let beside = quote(lab, stage, BESIDE, || price_beside(book, at_once))?;
        let all = [on_executor, beside].into_iter().flatten();
        differ += all.filter(|prices| *prices != expected).count();
    }
    let p99 = |name| Figure::<Seconds>::noted(Some(name), P99);
    let text = "pricing on the executor delayed the light quotes: p99 over twice that alone";
    let held_up = Claim::that("executor_is_held_up", text);
    let held_up = held_up.check(p99(EXECUTOR).above(p99(ALONE) * 2.0));
    lab.claim(held_up.headline());
    let text = "beside the executor it delayed them less than half as long";
    let helps = Claim::that("beside_helps", text).check(p99(BESIDE).below(p99(EXECUTOR) * 0.5));
    lab.claim(helps.headline());
    let differ = lab.count(None, "runs_with_other_prices", differ);
    let text = "both ways gave the prices that one after another gives";
    lab.claim(Claim::that("same_prices", text).check(differ.equals(count(0))));
    Ok(())
}

/// Asks for light quotes beside `pricing`, notes within which time 99 of 100 came, and returns the prices.
fn quote<F: Future<Output = Vec<f64>> + Send + 'static>(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    pricing: impl Fn() -> F,
) -> anyhow::Result<Option<Vec<f64>>> {
    let bound = Bound::Known(
        EVERY * (TICKS - 1),
        "the last light quote is due then".into(),
    );
    let venue = stage.venue.address();
    let variant = lab.variant(name).other_work().bound(bound);
    let quoted = variant.run_counted(
        || {
            let (mut late, prices) = run_on_this_thread(quote_beside(venue, pricing()))??;
            late.sort_unstable();
            Ok((late[late.len() * 99 / 100], prices))
        },
        |(_, prices)| Tally::all_done(TICKS as usize + prices.len()),
    )?;
    Ok(quoted.map(|(p99, prices)| {
        lab.duration(name, P99, p99);
        prices
    }))
}
