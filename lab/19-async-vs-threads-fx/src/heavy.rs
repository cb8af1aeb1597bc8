//! Where async does not shine: options priced on the executor, with light quotes beside them.

use crate::args::FxArgs;
use common::{Bound, Lab, Tally, format};
use lab_19_async_vs_threads_fx::{
    burst::Latencies,
    pricing::{Book, Call, Schedule, price_beside, price_on_executor, quote_beside},
    protocol::{RequestError, Target},
    tasks::run_on_this_thread,
};
use measure::workload::check_linear;
use std::{hint::black_box, num::NonZeroUsize, time::Duration};
use web::venue::{Pair, Venue};

pub(crate) const ALONE: &str = "light quotes alone";
pub(crate) const EXECUTOR: &str = "pricing on executor";
pub(crate) const BESIDE: &str = "pricing beside it";

/// Options to price while light quotes go on.
const CALLS: usize = 4;
const SCHEDULE: Schedule = Schedule {
    ticks: 150,
    every: Duration::from_millis(2),
};

/// How late the light quotes were, and how right the prices, over all rounds.
#[derive(Debug, Default)]
pub(crate) struct Light {
    /// Their p99 in each round of each variant.
    pub(crate) p99: Vec<(&'static str, Duration)>,
    /// Prices that differ from those that one after another gives.
    pub(crate) differing: usize,
    /// How many times longer four times the paths take.
    pub(crate) linearity: f64,
}

/// Runs the three in turns; nothing comes back if the venue failed, which is noted.
pub(crate) fn run(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
) -> anyhow::Result<Option<Light>> {
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
    let mut light = Light {
        linearity: linearity(),
        ..Light::default()
    };
    let expected = book.price_in_turn();
    for _ in 0..args.rounds.get() {
        for name in [ALONE, EXECUTOR, BESIDE] {
            let Some((p99, prices)) = once(args, lab, venue, target, name, book, at_once)? else {
                return Ok(None);
            };
            let pairs = prices.iter().zip(&expected);
            light.differing += pairs.filter(|(one, other)| one != other).count();
            // None is missing, and alone there is none.
            light.differing += prices.len() % CALLS;
            light.p99.push((name, p99));
        }
    }
    say(lab, &light);
    Ok(Some(light))
}

fn linearity() -> f64 {
    let price = |paths| {
        black_box(Call::numbered(0).price(paths, 1));
    };
    check_linear(price).ratio
}

fn once(
    args: &FxArgs,
    lab: &mut Lab,
    venue: &Venue,
    target: Target,
    name: &str,
    book: Book,
    at_once: NonZeroUsize,
) -> anyhow::Result<Option<(Duration, Vec<f64>)>> {
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
            Ok((Duration::from_secs_f64(Latencies::of(late).p99_s), prices))
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
    for name in [ALONE, EXECUTOR, BESIDE] {
        let rounds = light.p99.iter().filter(|round| round.0 == name);
        let rounds: Vec<String> = rounds.map(|round| format::seconds(round.1)).collect();
        lab.say(format!("{name}: p99 {}", rounds.join(", ")));
    }
}
