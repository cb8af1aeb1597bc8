//! The script's trade; from ten to ten thousand in flight; and pricing, where async does not shine.

use crate::{Stage, flags::Args};
use common::{
    Bound, Lab, TableReport, Tally,
    claim::{
        Bytes, Claim, Figure, Ratio, Seconds, all_in_flight, bytes, count, in_flight, none_failed,
        threads, times,
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
use web::venue::{Answer, Ask};

/// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
const SIDES: [&str; 2] = [TASKS, THREADS];
const TASKS: &str = "tasks";
const THREADS: &str = "threads";

/// Asks for twenty quotes, five at a time, then orders the best ones; claims that both sides did the same.
pub(crate) fn trade(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let (limit, rounds, venue) = (args.workers, args.rounds.get(), stage.venue.address);
    let quotes = quotes(&args.pairs, args.repeats.get());
    let all = quotes.len();
    lab.say(format!(
        "{all} quotes and an order per best one, {limit} at a time, {rounds} rounds …"
    ));
    let ask = |side, requests: &_| match side {
        THREADS => trade_with_threads(venue, requests, limit),
        _ => run_on_this_thread(trade_with_tasks(venue, requests, limit))?,
    };
    let mut traded = Vec::new();
    for side in (0..rounds).flat_map(|_| [THREADS, TASKS]) {
        let trade = || {
            let mut answers = ask(side, &quotes)?;
            answers.extend(ask(side, &orders(&quotes, &answers))?);
            Ok(answers)
        };
        let tally = |got: &Vec<Answer>| {
            Tally::of_checked(got, |it| traded.is_empty() || traded.contains(it))
        };
        let at_once = [all, limit.get(), 0];
        let got = measure(lab, stage, side, at_once, tally, trade)?;
        traded = got.unwrap_or(traded);
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
    let text = "threads and tasks got the same quotes and fills";
    let same = SIDES.map(none_failed);
    let same = same
        .into_iter()
        .fold(Claim::that("same_answers", text), Claim::check);
    lab.claim(same);
    let tie = lab.compare("a_tie", &format!("{limit} at a time"), [THREADS, TASKS]);
    lab.claim(tie.headline());
    Ok(())
}

/// Runs `work`, which asks for so many quotes, `at_once` at a time; `tally` counts what it got.
///
/// Before `bell` requests have arrived, the venue answers none.
fn measure<T: Serialize>(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    [quotes, at_once, bell]: [usize; 3],
    tally: impl Fn(&T) -> Tally,
    mut work: impl FnMut() -> io::Result<T>,
) -> anyhow::Result<Option<T>> {
    stage.bell.set(bell);
    let variant = lab.variant(name).observed_by(stage);
    let variant = variant.limit(at_once.min(quotes));
    let variant = match bell {
        0 => {
            let latencies = stage.market.bound(1..=quotes as u64, at_once);
            let why = format!("the latencies of the quotes, {at_once} at a time");
            variant.bound(Bound::Known(latencies, why))
        }
        _ => variant.other_work(),
    };
    variant.run_counted(|| Ok(work()?), tally)
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
            // Later rounds find some of it in the allocator.
            let more = burst_once(args, lab, stage, level, (SIDES[side], &names[side]))?;
            grew[side] = more.max(grew[side]);
        }
        let times = names
            .each_ref()
            .map(|name| lab.wall(name).map(format::seconds));
        let grew = grew.map(|grew| Some(format::bytes(grew as f64)));
        let threads = names
            .each_ref()
            .map(|name| lab.ledger(name)?.threads.map(format::count));
        let cells = [times, grew, threads].into_iter().flatten();
        let cells = cells.map(|cell| cell.unwrap_or("–".into()));
        rows.push([shown].into_iter().chain(cells).collect());
        ran.push((names, level));
    }
    claim_burst(lab, &ran);
    let headings = "at once,time: tasks,threads,memory: tasks,threads,threads: tasks,threads";
    let large = format::count(LARGE as u64);
    let note = format!("rows past {large} in flight ran once: their times are not judged");
    lab.table(TableReport {
        title: "From ten in flight to many".into(),
        headings: headings.split(',').map(String::from).collect(),
        rows,
        notes: vec![note],
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
    let (venue, stack_bytes) = (stage.venue.address, args.stack_kib.get() * 1024);
    // The peak is reset before each run: at its start it is what is held then.
    let peak = || Usage::of_this_process().peak_rss_bytes.unwrap_or_default();
    let mut grew = 0;
    let tally = |all: &usize| Tally::all_done(*all);
    measure(lab, stage, name, [level; 3], tally, || {
        let before = peak();
        let answers = match side {
            THREADS => burst_with_threads(venue, &requests, stack_bytes)?,
            _ => run_on_this_thread(burst_with_tasks(venue, &requests))??,
        };
        grew = peak().saturating_sub(before);
        Ok(answers.len())
    })?;
    lab.bytes(name, GREW, grew);
    lab.ratio(None, WORKED, stage.venue.counts()?.busy_ratio);
    Ok(grew)
}

fn claim_burst(lab: &mut Lab, ran: &[([String; 2], usize)]) {
    let text = "in every row all requests were in flight at once, counted by the venue";
    let names = ran.iter().flat_map(|(names, _)| names);
    let all = names.map(|name| all_in_flight(name));
    lab.claim(all.fold(Claim::that("all_in_flight", text), Claim::check));
    let worked = Figure::<Ratio>::noted(None, WORKED);
    let text = "the venue had time to spare: it worked for less than 3/4 of the time";
    lab.claim(Claim::that("venue_has_time", text).check(worked.below(times(0.75))));
    if let Some((largest, level)) = ran.last() {
        claim_cost(lab, largest, *level);
    }
    if let Some(([tasks, threads], level)) = ran.iter().rfind(|(_, level)| *level <= LARGE) {
        let about = format!("{} in flight", format::count(*level as u64));
        let claim = lab.compare("who_is_faster", &about, [threads, tasks]);
        lab.claim(claim);
    }
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
    for _ in 0..args.rounds.get() {
        quote(lab, stage, ALONE, &[], async || Vec::new())?;
        quote(lab, stage, EXECUTOR, &expected, || price_on_executor(book))?;
        quote(lab, stage, BESIDE, &expected, || {
            price_beside(book, at_once)
        })?;
    }
    let p99 = |name| Figure::<Seconds>::noted(Some(name), P99);
    let text = "pricing on the executor delayed the light quotes: p99 over twice that alone";
    let held_up = Claim::that("executor_is_held_up", text);
    let held_up = held_up.check(p99(EXECUTOR).above(p99(ALONE) * 2.0));
    let line = "pricing on the executor: 99 of 100 light quotes took up to {left}";
    lab.claim(held_up.in_a_line(line).headline());
    let text = "beside the executor it delayed them less than half as long";
    let helps = Claim::that("beside_helps", text).check(p99(BESIDE).below(p99(EXECUTOR) * 0.5));
    let line = "pricing beside it: 99 of 100 light quotes took up to {left}";
    lab.claim(helps.in_a_line(line).headline());
    let text = "both ways gave the prices that one after another gives";
    let same = Claim::that("same_prices", text).check(none_failed(EXECUTOR));
    lab.claim(same.check(none_failed(BESIDE)));
    Ok(())
}

/// Asks for light quotes beside `pricing`, and notes within which time 99 of 100 came.
fn quote<F: Future<Output = Vec<f64>> + Send + 'static>(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    expected: &[f64],
    pricing: impl Fn() -> F,
) -> anyhow::Result<()> {
    let venue = stage.venue.address;
    lab.variant(name).other_work().run_counted(
        || Ok(run_on_this_thread(quote_beside(venue, pricing()))??),
        |prices| {
            let tally = Tally::of_checked(prices, |price| expected.contains(price));
            let ticks = u64::from(TICKS);
            Tally {
                submitted: tally.submitted + ticks,
                done: tally.done + ticks,
                ..tally
            }
        },
    )?;
    let recording = lab.recording(name);
    let Some(light) = recording.first("light") else {
        return Ok(());
    };
    // Late counts from when it was due, also where the one before was late.
    let due = (0..).map(|number| light.start.plus(EVERY * number));
    let late = recording
        .named("quote")
        .zip(due)
        .map(|(quote, due)| quote.end - due);
    let mut late: Vec<_> = late.collect();
    late.sort_unstable();
    lab.duration(name, P99, late[late.len() * 99 / 100]);
    Ok(())
}
