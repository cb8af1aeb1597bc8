//! The script's trade: twenty quotes, five at a time, and an order for each best one.

use crate::{AllArrived, Stage, args::Args};
use common::{
    Bound, Lab, Tally,
    claim::{Claim, count, in_flight},
};
use lab_19_async_vs_threads_fx::{
    orders, quotes,
    tasks::{run_on_this_thread, trade_with_tasks},
    threads::trade_with_threads,
};
use std::io;
use web::venue::{Answer, Ask, Request};

const THREADS: &str = "threads";
const TASKS: &str = "tasks";

/// Runs both sides in turns, and claims that they did the same in the same time.
pub(crate) fn run(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let (limit, rounds) = (args.workers, args.rounds.get());
    let quotes = quotes(&args.pairs, args.repeats.get());
    let (all, venue) = (quotes.len(), stage.venue.address());
    lab.say(format!(
        "{all} quotes and an order per best one, {limit} at a time, {rounds} rounds …"
    ));
    let (mut differ, mut traded) = (0, Vec::new());
    for _ in 0..rounds {
        let by_threads = side(lab, stage, THREADS, limit.get(), &quotes, |requests| {
            trade_with_threads(venue, requests, limit)
        })?;
        let by_tasks = side(lab, stage, TASKS, limit.get(), &quotes, |requests| {
            run_on_this_thread(trade_with_tasks(venue, requests, limit))?
        })?;
        let pairs = by_threads.iter().zip(&by_tasks);
        differ += pairs.filter(|(one, other)| one != other).count();
        traded = by_tasks;
    }
    for (request, _) in orders(&quotes, &traded).iter().zip(0..) {
        if let Ask::Order(pair, price) = request.ask {
            lab.say(format!("{pair}: bought at {}", pair.written(price)));
        }
    }
    let at_once = || count(limit.get().min(all));
    let text = "one limit: the venue saw as many in flight from either as allowed";
    let one_limit = Claim::that("one_limit", text)
        .check(in_flight(THREADS).equals(at_once()))
        .check(in_flight(TASKS).equals(at_once()));
    lab.claim(one_limit);
    let differ = lab.count(None, "answers_that_differ", differ);
    let text = "threads and tasks got the same quotes and fills";
    lab.claim(Claim::that("same_answers", text).check(differ.equals(count(0))));
    let about = format!("{limit} at a time");
    let tie = lab.compare("a_tie", &about, [THREADS, TASKS]);
    lab.claim(tie.headline());
    Ok(())
}

/// Asks for the quotes, then places the orders; returns the answers to both.
fn side(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    limit: usize,
    quotes: &[Request],
    trade: impl Fn(&[Request]) -> io::Result<Vec<Answer>>,
) -> anyhow::Result<Vec<Answer>> {
    let all = AllArrived(&stage.venue, 0);
    let ids = 1..=quotes.len() as u64;
    let bound = Bound::Known {
        duration: stage.market.bound(ids, limit),
        reason: format!("the latencies of the quotes, {limit} at a time"),
    };
    let variant = lab.variant(name).observed_by(&all).bound(bound);
    variant.limit(limit.min(quotes.len())).run_counted(
        || {
            let mut answers = trade(quotes)?;
            answers.extend(trade(&orders(quotes, &answers))?);
            Ok(answers)
        },
        |answers| Tally::all_done(answers.len()),
    )
}
