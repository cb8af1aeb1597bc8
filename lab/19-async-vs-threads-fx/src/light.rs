//! Where async does not shine: options priced on the executor, with light quotes beside them.

use crate::{Stage, args::Args};
use common::{
    Bound, Lab, Tally,
    claim::{Claim, count},
    format,
};
use lab_19_async_vs_threads_fx::{
    pricing::{Book, price_beside, price_on_executor, quote_beside},
    tasks::run_on_this_thread,
};
use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

const ALONE: &str = "light quotes alone";
const EXECUTOR: &str = "pricing on executor";
const BESIDE: &str = "pricing beside it";

/// Options to price while light quotes go on.
const CALLS: usize = 4;
const TICKS: u32 = 150;
const EVERY: Duration = Duration::from_millis(2);

/// Runs the three in turns, and claims what pricing does to the light quotes.
pub(crate) fn run(args: &Args, lab: &mut Lab, stage: &Stage) -> anyhow::Result<()> {
    let paths = args.paths.get() as u64;
    let (calls, seed) = (CALLS, lab.seed());
    let book = Book { calls, paths, seed };
    lab.say(format!(
        "a light quote is due every {}; beside it {CALLS} options are priced …",
        format::seconds(EVERY)
    ));
    let expected: Vec<f64> = (0..CALLS).map(|number| book.price(number)).collect();
    let (mut differ, mut p99s) = (0, BTreeMap::new());
    for _ in 0..args.rounds.get() {
        for name in [ALONE, EXECUTOR, BESIDE] {
            let (p99, prices) = once(lab, stage, name, book)?;
            differ += usize::from(name != ALONE && prices != expected);
            p99s.insert(name, lab.duration(name, "p99_of_the_light_quotes", p99));
        }
    }
    let [alone, executor, beside] = [ALONE, EXECUTOR, BESIDE].map(|name| p99s[name].clone());
    let text = "pricing on the executor delayed the light quotes: p99 over twice that alone";
    let held_up = Claim::that("executor_is_held_up", text);
    lab.claim(
        held_up
            .check(executor.clone().above(alone * 2.0))
            .headline(),
    );
    let text = "beside the executor it delayed them less than half as long";
    let helps = Claim::that("beside_helps", text);
    lab.claim(helps.check(beside.below(executor * 0.5)).headline());
    let differ = lab.count(None, "runs_with_other_prices", differ);
    let text = "both ways gave the prices that one after another gives";
    lab.claim(Claim::that("same_prices", text).check(differ.equals(count(0))));
    Ok(())
}

/// The time within which 99 of 100 light quotes came, and the prices.
fn once(
    lab: &mut Lab,
    stage: &Stage,
    name: &str,
    book: Book,
) -> anyhow::Result<(Duration, Vec<f64>)> {
    let bound = Bound::Known {
        duration: EVERY * (TICKS - 1),
        reason: "the last light quote is due then".into(),
    };
    // One CPU stays with the executor, where there is more than one.
    let at_once = NonZeroUsize::new(lab.cpus().saturating_sub(1)).unwrap_or(NonZeroUsize::MIN);
    let (venue, light) = (stage.venue.address(), (TICKS, EVERY));
    let variant = lab.variant(name).other_work().bound(bound);
    variant.run_counted(
        || {
            let (mut late, prices) = match name {
                ALONE => run_on_this_thread(quote_beside(venue, light, async { Vec::new() }))??,
                EXECUTOR => {
                    run_on_this_thread(quote_beside(venue, light, price_on_executor(book)))??
                }
                _ => run_on_this_thread(quote_beside(venue, light, price_beside(book, at_once)))??,
            };
            late.sort_unstable();
            Ok((late[late.len() * 99 / 100], prices))
        },
        |(_, prices)| Tally::all_done(TICKS as usize + prices.len()),
    )
}
