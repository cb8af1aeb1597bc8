//! Where async does not shine: options priced on the executor, with light quotes beside them.

use crate::args::FxArgs;
use common::{Bound, Lab, TableReport, Tally, format};
use lab_19_async_vs_threads_fx::{
    burst::Latencies,
    market::Pair,
    pricing::{Book, Call, Schedule, price_beside, price_on_executor, quote_beside},
    protocol::{RequestError, Target},
    tasks::run_on_this_thread,
    venue::Venue,
};
use measure::workload::check_linear;
use serde::Serialize;
use std::{hint::black_box, num::NonZeroUsize, time::Duration};

pub(crate) const ALONE: &str = "light quotes alone";
pub(crate) const EXECUTOR: &str = "pricing on executor";
pub(crate) const BESIDE: &str = "pricing beside it";

/// Options to price while light quotes go on.
const CALLS: usize = 4;
const SCHEDULE: Schedule = Schedule {
    ticks: 150,
    every: Duration::from_millis(2),
};

/// The light quotes' p99 of every round, and the prices.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Light {
    #[serde(rename = "alone_s")]
    pub(crate) alone: Vec<f64>,
    #[serde(rename = "executor_s")]
    pub(crate) executor: Vec<f64>,
    #[serde(rename = "beside_s")]
    pub(crate) beside: Vec<f64>,
}

#[derive(Serialize)]
struct Priced {
    light: Latencies,
    prices: Vec<f64>,
}

/// Runs the three in turns; nothing comes back if the venue failed, which is noted.
pub(crate) fn run(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
) -> anyhow::Result<Option<Light>> {
    lab.param("pricing_four_times_the_paths_ratio", linearity());
    let book = Book {
        calls: CALLS,
        paths: args.paths.get() as u64,
        seed: lab.seed(),
    };
    // One CPU stays with the executor, where there is more than one.
    let at_once = NonZeroUsize::new(lab.cpus().saturating_sub(1)).unwrap_or(NonZeroUsize::MIN);
    lab.param("pricing_threads", at_once);
    lab.say(format!(
        "light quotes: {}, one due every {}; options: {CALLS}, of {} paths each …",
        SCHEDULE.ticks,
        format::seconds(SCHEDULE.every),
        format::count(book.paths)
    ));
    let (mut light, mut differing) = (Light::default(), 0);
    let expected = book.price_in_turn();
    for _ in 0..args.rounds.get() {
        for name in [ALONE, EXECUTOR, BESIDE] {
            let Some(priced) = once(args, lab, venue, target, name, book, at_once)? else {
                return Ok(None);
            };
            let wrong = priced.prices.iter().zip(&expected).filter(|(a, b)| a != b);
            differing += wrong.count() + (priced.prices.len() % CALLS);
            light.of(name).push(priced.light.p99_s);
        }
    }
    lab.param("light_p99", &light);
    lab.param("prices_that_differ", differing);
    say(lab, &light);
    Ok(Some(light))
}

/// How many times longer four times the paths take.
fn linearity() -> f64 {
    let price = |paths| {
        black_box(Call::numbered(0).price(paths, 1));
    };
    check_linear(price).ratio
}

impl Light {
    fn of(&mut self, name: &str) -> &mut Vec<f64> {
        match name {
            ALONE => &mut self.alone,
            EXECUTOR => &mut self.executor,
            _ => &mut self.beside,
        }
    }
}

fn once(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
    name: &str,
    book: Book,
    at_once: NonZeroUsize,
) -> anyhow::Result<Option<Priced>> {
    let bound = Bound::Known {
        duration: SCHEDULE.length(),
        reason: "the last light quote is due then".into(),
    };
    let pair = args.pairs[0];
    let tasks = u64::from(SCHEDULE.ticks) + if name == ALONE { 0 } else { CALLS as u64 };
    let ran = lab.variant(name).other_work().bound(bound).run_counted(
        || {
            let both = light_quotes(name, target, pair, book, at_once);
            let (late, prices) = run_on_this_thread(both)??;
            let light = Latencies::of(late);
            Ok(Priced { light, prices })
        },
        |_| Tally {
            submitted: tasks,
            done: tasks,
            ..Tally::default()
        },
    );
    match ran {
        Ok(priced) => Ok(Some(priced)),
        Err(error) => {
            lab.fail(format!("{name}: {error:#}{}", crate::ending(venue)));
            Ok(None)
        }
    }
}

/// The light quotes with the pricing that `name` says; how late each was, and the prices.
async fn light_quotes(
    name: &str,
    target: Target,
    pair: Pair,
    book: Book,
    at_once: NonZeroUsize,
) -> Result<(Vec<Duration>, Vec<f64>), RequestError> {
    match name {
        ALONE => quote_beside(target, pair, SCHEDULE, async { Vec::new() }).await,
        EXECUTOR => quote_beside(target, pair, SCHEDULE, price_on_executor(book)).await,
        _ => quote_beside(target, pair, SCHEDULE, price_beside(book, at_once)).await,
    }
}

fn say(lab: &Lab, light: &Light) {
    let shown = |p99: &[f64]| {
        let each = p99.iter().map(|&p99| format::seconds_f64(p99));
        each.collect::<Vec<_>>().join(", ")
    };
    let row = |name: &str, p99| vec![name.to_owned(), shown(p99)];
    let rows = vec![
        row(ALONE, &light.alone),
        row(EXECUTOR, &light.executor),
        row(BESIDE, &light.beside),
    ];
    let names = ["light quotes", "p99 of each round, from when they were due"];
    lab.table(TableReport {
        title: "How late light quotes were beside CPU-bound pricing".into(),
        headings: names.map(String::from).into(),
        rows,
        text_columns: vec![0, 1],
        notes: Vec::new(),
    });
}
