//! The script's table: twenty quotes, five at a time, and an order per best quote.

use crate::{args::FxArgs, session::Session};
use common::{Bound, Lab, TableReport, Tally, format};
use lab_19_async_vs_threads_fx::{
    best_quotes, bound, orders, orders_for,
    protocol::{Outcome, Target},
    tasks::{run_on_this_thread, trade_with_tasks},
    threads::trade_with_threads,
};
use serde::Serialize;
use std::collections::BTreeMap;
use web::venue::{Answer, Pair, Price, Request, Venue};

pub(crate) const THREADS: &str = "threads";
pub(crate) const TASKS: &str = "tasks";

/// What one side brought home.
#[derive(Serialize)]
pub(crate) struct Trade {
    #[serde(skip)]
    pub(crate) outcomes: Vec<Outcome>,
    /// The lowest ask of each pair, and what the order for it was filled at.
    pub(crate) best: BTreeMap<Pair, Price>,
    pub(crate) filled: BTreeMap<Pair, Price>,
}

impl Trade {
    fn new(args: &FxArgs, [quoted, ordered]: [Vec<Outcome>; 2]) -> Self {
        let best = best_quotes(&args.quotes(), &quoted);
        let filled = best.keys().zip(&ordered);
        let filled = filled.filter_map(|(&pair, answer)| match answer {
            Ok(Answer::Filled(_, price)) => Some((pair, *price)),
            _ => None,
        });
        let filled = filled.collect();
        let outcomes = [quoted, ordered].concat();
        Self {
            outcomes,
            best,
            filled,
        }
    }
}

/// Runs both sides in turns; returns what each brought home last, or nothing if a request failed.
pub(crate) fn run(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
) -> anyhow::Result<Option<[Trade; 2]>> {
    let (workers, count) = (args.workers.get(), args.quotes().len());
    let mut last = None;
    for round in 1..=args.rounds.get() {
        lab.say(format!(
            "round {round} of {}: {count} quotes, then an order per best quote; at once: {workers} …",
            args.rounds
        ));
        let threads = side(args, lab, venue, THREADS, |quotes| {
            let then = |quoted: &[Outcome]| orders_for(quotes, quoted);
            Ok(trade_with_threads(&target, quotes, workers, then)?)
        })?;
        let Some(threads) = threads else {
            return Ok(None);
        };
        let tasks = side(args, lab, venue, TASKS, |quotes| {
            let then = |quoted: &[Outcome]| orders_for(quotes, quoted);
            Ok(run_on_this_thread(trade_with_tasks(
                target, quotes, workers, then,
            ))?)
        })?;
        let Some(tasks) = tasks else { return Ok(None) };
        last = Some([threads, tasks]);
    }
    if let Some(trades) = &last {
        say(lab, trades);
    }
    Ok(last)
}

fn side(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    name: &str,
    trade: impl FnOnce(&[Request]) -> anyhow::Result<[Vec<Outcome>; 2]>,
) -> anyhow::Result<Option<Trade>> {
    let (session, quotes) = (Session::new(venue, 0), args.quotes());
    let at_once = args.workers.get().min(quotes.len());
    let bound = attainable(args, lab.seed());
    let trade = lab
        .variant(name)
        .observed_by(&session)
        .bound(bound)
        .limit(at_once)
        .run_counted(
            || Ok(Trade::new(args, trade(&quotes)?)),
            |trade| Tally::of(&trade.outcomes),
        )?;
    Ok(crate::note_failures(lab, venue, name, &trade.outcomes).then_some(trade))
}

/// The quotes' latencies shared out among the workers, then the orders'.
fn attainable(args: &FxArgs, seed: u64) -> Bound {
    let (market, workers) = (args.market(seed), args.workers.get());
    let quotes = args.quotes();
    let best = args
        .pairs
        .iter()
        .map(|&pair| (pair, market.quote(0, pair).ask));
    let orders = orders(&best.collect(), quotes.len() as u64);
    Bound::Known {
        duration: bound(&market, &quotes, workers) + bound(&market, &orders, workers),
        reason: format!("the venue's latencies, {workers} at a time"),
    }
}

fn say(lab: &Lab, [threads, tasks]: &[Trade; 2]) {
    let shown = |price: Option<&Price>| price.map_or("–".into(), ToString::to_string);
    let rows = threads.best.iter().map(|(pair, best)| {
        vec![
            pair.to_string(),
            best.to_string(),
            shown(threads.filled.get(pair)),
            shown(tasks.best.get(pair)),
            shown(tasks.filled.get(pair)),
        ]
    });
    let names = ["pair", "threads: best", "filled", "tasks: best", "filled"];
    lab.table(TableReport {
        title: "The best quote of each pair, and what its order was filled at".into(),
        headings: names.map(String::from).into(),
        rows: rows.collect(),
        text_columns: vec![0],
        notes: Vec::new(),
    });
    for name in [THREADS, TASKS] {
        if let Some(wall) = lab.wall(name) {
            lab.say(format!("{name}: elapsed {}", format::seconds(wall)));
        }
    }
}
