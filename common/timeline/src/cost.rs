//! What recording costs, measured in this very process.

use super::{Moment, Timeline, Toll};
use std::{sync::OnceLock, time::Duration};
use tracing::{info_span, level_filters::LevelFilter};
use tracing_subscriber::layer::SubscriberExt;

/// So often each price is measured; the middle one counts, so that a pause of the machine does not.
const TRIES: usize = 7;
const CALLS: u32 = 48;

/// What each part of recording costs.
#[derive(Clone, Copy)]
struct Prices {
    /// A span that is opened, closed and kept.
    span: Duration,
    /// Entering and leaving a span on a thread, whose CPU clock is read.
    entry: Duration,
    /// Entering and leaving a task's span.
    poll: Duration,
    /// A sample of a level.
    sample: Duration,
}

/// What all of it cost.
pub(super) fn of(toll: &Toll) -> Duration {
    if *toll == Toll::default() {
        return Duration::ZERO;
    }
    static PRICES: OnceLock<Prices> = OnceLock::new();
    let prices = PRICES.get_or_init(measure);
    let times = |price: Duration, count: u64| price.as_secs_f64() * count as f64;
    let parts = times(prices.span, toll.spans)
        + times(prices.entry, toll.entries)
        + times(prices.poll, toll.polls)
        + times(prices.sample, toll.samples);
    Duration::from_secs_f64(parts) + toll.thinning
}

/// Records with a timeline of its own.
fn measure() -> Prices {
    let subscriber = tracing_subscriber::registry()
        .with(Timeline::with_declared_tasks())
        .with(LevelFilter::INFO);
    tracing::subscriber::with_default(subscriber, || {
        let on_thread = info_span!("price");
        let of_task = info_span!("price", task = 0);
        let entry = price(|| on_thread.in_scope(|| ()));
        let whole = price(|| info_span!("price", wait = "io").in_scope(|| ()));
        Prices {
            span: whole.saturating_sub(entry),
            entry,
            poll: price(|| of_task.in_scope(|| ())),
            sample: price(|| tracing::info!(queue = "price", depth = 1)),
        }
    })
}

fn price(call: impl Fn()) -> Duration {
    let mut tries = [Duration::ZERO; TRIES];
    for took in &mut tries {
        let start = Moment::now();
        for _ in 0..CALLS {
            call();
        }
        *took = (Moment::now() - start) / CALLS;
    }
    tries.sort();
    tries[TRIES / 2]
}
