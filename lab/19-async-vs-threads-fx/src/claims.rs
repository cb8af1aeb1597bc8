//! The script's trades; from ten to ten thousand at once; and pricing, where async does not shine.

use crate::{Seen, flags::Args};
use common::{
    Lab, Tally,
    claim::{Bytes, Claim, Figure, Seconds, in_flight, none_failed, threads},
    format,
};
use lab_19_async_vs_threads_fx::{
    pricing::{self, CALLS, price_beside, price_on_async_thread, trade_during},
    quotes,
    tasks::{run_on_this_thread, trade_with_tasks},
    threads::trade_with_threads,
};
use measure::{limits, surroundings, timing::Usage};
use std::{collections::BTreeSet, num::NonZeroUsize};
use timeline::Span;
use web::venue::{self, Answer, Venue};

/// Tasks first: what threads leave behind in the allocator would make tasks look cheaper.
const SIDES: [&str; 2] = ["tasks", "threads"];
/// The script's.
const PAIRS: NonZeroUsize = NonZeroUsize::new(venue::PAIRS.len()).expect("not zero");
const GREW: &str = "memory_grew_by";

/// Makes the script's trades and those of each row on both sides, and claims what waiting costs.
pub(crate) fn trade(args: &Args, lab: &mut Lab, venue: &Venue) -> anyhow::Result<()> {
    let trades = args.repeats.saturating_mul(PAIRS);
    let (limit, rounds) = (args.workers.min(trades), args.rounds.get());
    lab.say(format!(
        "{trades} quotes and an order each, {limit} at a time; rounds: {rounds} …"
    ));
    for _ in 0..rounds {
        run_both(args, lab, venue, SIDES, (trades, limit))?;
    }
    let (mut ran, mut rows) = (vec![(SIDES.map(String::from), limit)], Vec::new());
    for level in args.sweep.iter().copied().collect::<BTreeSet<_>>() {
        let shown = format::count(level.get() as u64);
        if let Some(limit) = forbidden(args, level.get()) {
            lab.say(format!("{shown} in flight: not run; {limit}"));
            continue;
        }
        let names = SIDES.map(|side| format!("{shown} {side}"));
        let [tasks, threads] = &names;
        let both = run_both(args, lab, venue, [tasks, threads], (level, level))?;
        rows.extend(both);
        ran.push((names, level));
    }
    let headings = ["all at once", "time", "memory", "threads"];
    let note = "one run each, times not judged; a thread keeps a stack, a task its state";
    lab.table("From ten at once to many", &headings, rows, note);
    claim(lab, &ran);
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

/// Makes so many trades on both sides, so many at a time; returns a row of the table for each.
fn run_both(
    args: &Args,
    lab: &mut Lab,
    venue: &Venue,
    names: [&str; 2],
    (trades, limit): (NonZeroUsize, NonZeroUsize),
) -> anyhow::Result<Vec<Vec<String>>> {
    let (quotes, at_once, mut rows) = (quotes(trades.get()), limit.get(), Vec::new());
    let is_right = |answer: &Answer| {
        let pair = quotes[answer.id as usize - 1].pair;
        answer.price == venue.market.price(answer.id, pair)
    };
    // The peak is reset before each run: at its start it is what is held then.
    let peak = || Usage::of_this_process().peak_rss_bytes.unwrap_or_default();
    for (side, name) in SIDES.into_iter().zip(names) {
        let (seen, mut grew) = (Seen { venue, at_once }, 0);
        let mut variant = lab.variant(name).limit(at_once).observed_by(&seen);
        if side != name {
            variant = variant.other_work();
        }
        variant.run_counted(
            || {
                let (before, stack_bytes) = (peak(), args.stack_kib.get() * 1024);
                let answers = if side == "tasks" {
                    run_on_this_thread(trade_with_tasks(venue.address, &quotes, limit))??
                } else {
                    trade_with_threads(venue.address, &quotes, limit, stack_bytes)?
                };
                grew = peak().saturating_sub(before);
                Ok(answers)
            },
            |answers| Tally::of_checked(answers, is_right),
        )?;
        lab.note(name, GREW, grew as f64);
        rows.push(row(lab, name, grew));
    }
    Ok(rows)
}

/// A row of the table: the variant's time, by how much memory grew, and its threads.
fn row(lab: &Lab, name: &str, grew: u64) -> Vec<String> {
    let time = lab.middle(name, |run| format::seconds_f64(run.wall_s));
    let threads = lab.middle(name, |run| run.ledger.threads).flatten();
    let memory = format::bytes(grew as f64);
    let figures = [
        Some(name.into()),
        time,
        Some(memory),
        threads.map(format::count),
    ];
    figures.map(|figure| figure.unwrap_or("–".into())).into()
}

fn claim(lab: &mut Lab, ran: &[([String; 2], NonZeroUsize)]) {
    let text = "the venue saw as many in flight from either side as allowed";
    let mut one_limit = Claim::that("one_limit", text);
    let mut same = Claim::that("same_answers", "both sides got what the venue answers");
    for (names, limit) in ran {
        for name in names {
            one_limit = one_limit.check(in_flight(name).equals(limit.get()));
            same = same.check(none_failed(name));
        }
    }
    lab.claim(one_limit);
    lab.claim(same);
    let about = format!("{} at a time", ran[0].1);
    let tie = lab.compare("a_tie", &about, ["threads", "tasks"]);
    lab.claim(tie.headline());
    let [.., ([task, thread], level)] = &ran[1..] else {
        return;
    };
    let shown = format::count(level.get() as u64);
    // The threads are sampled: on a busy machine some are gone before the next look.
    let half = level.get() / 2;
    let text = format!("{shown} at once: as many threads, at least half of them seen, beside one");
    let more = Claim::that("threads", text)
        .check(threads(thread).at_least(half))
        .check(threads(task).equals(1));
    lab.claim(more);
    let grew = |name: &String| Figure::<Bytes>::noted(Some(name), GREW);
    let text = format!("{shown} waiting threads took over 1.5 times the memory of as many tasks");
    let line = format!("{shown} requests: {{left}} of memory on threads, {{right}} in tasks");
    let memory = Claim::that("threads_take_memory", text)
        .check(grew(thread).above(grew(task) * 1.5))
        // A few pages come and go by themselves.
        .check(grew(thread).at_least(65_536));
    lab.claim(memory.in_a_line(line).headline());
}

const ON_IT: &str = "pricing in a task";
const BESIDE: &str = "pricing beside it";
const LONGEST: &str = "longest_trade";

/// Makes the script's trades during pricing on the async thread, and beside it; claims what that does to them.
pub(crate) fn price(args: &Args, lab: &mut Lab, venue: &Venue) -> anyhow::Result<()> {
    let (first, rates) = (lab.seed(), args.paths.get() as u64);
    let (quotes, at_once) = (quotes(20), 5);
    let limit = NonZeroUsize::new(at_once).expect("not zero");
    // One CPU stays with the async thread, where there is more than one.
    let beside = NonZeroUsize::new(surroundings::cpus() - 1).unwrap_or(NonZeroUsize::MIN);
    lab.say(format!(
        "{CALLS} options are priced during 20 trades, {at_once} at a time …"
    ));
    let expected: Vec<f64> = (0..CALLS)
        .map(|call| pricing::price(first + call, rates))
        .collect();
    let seen = Seen { venue, at_once };
    for name in [ON_IT, BESIDE] {
        let pricing = move || async move {
            match name {
                ON_IT => price_on_async_thread(first, rates).await,
                _ => price_beside(first, rates, beside).await,
            }
        };
        let variant = lab.variant(name).other_work().observed_by(&seen);
        variant.run_counted(
            || {
                let trading = trade_during(pricing(), venue.address, &quotes, limit);
                Ok(run_on_this_thread(trading)??)
            },
            |prices| Tally::of_checked(prices, |price| expected.contains(price)),
        )?;
        let recording = lab.recording(name);
        let longest = recording.named("trade").map(Span::duration).max();
        lab.note(name, LONGEST, longest.unwrap_or_default());
    }
    claim_pricing(lab);
    Ok(())
}

/// Claims what pricing does to the trades beside it.
fn claim_pricing(lab: &mut Lab) {
    let longest = |name| Figure::<Seconds>::noted(Some(name), LONGEST);
    let text =
        "pricing on the async thread held a trade up for longer than twice the longest beside it";
    let line =
        "the slowest trade: {left} while options are priced on the async thread, {right} beside it";
    let held_up = Claim::that("executor_is_held_up", text).in_a_line(line);
    lab.claim(
        held_up
            .check(longest(ON_IT).above(longest(BESIDE) * 2.0))
            .headline(),
    );
    let text = "both ways gave the prices that one after another gives";
    let same = Claim::that("same_prices", text).check(none_failed(ON_IT));
    lab.claim(same.check(none_failed(BESIDE)));
}
