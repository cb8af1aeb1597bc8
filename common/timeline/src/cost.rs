//! What recording costs, measured in this very process.

use super::{Moment, Timeline, Toll};
use std::{sync::OnceLock, time::Duration};
use tracing::{info_span, level_filters::LevelFilter};
use tracing_subscriber::layer::SubscriberExt;

/// So often the price is measured; the middle one counts, so that a pause of the machine does not.
const TRIES: usize = 7;
const SPANS: u32 = 48;

/// A span around nothing is made, entered and left.
const EVENTS_PER_SPAN: u32 = 3;

/// What all of it cost.
pub(super) fn of(toll: &Toll) -> Duration {
    if toll.events == 0 {
        return toll.held_up;
    }
    static PRICE: OnceLock<Duration> = OnceLock::new();
    let price = PRICE.get_or_init(of_a_span).as_secs_f64() / f64::from(EVENTS_PER_SPAN);
    Duration::from_secs_f64(price * toll.events as f64) + toll.held_up
}

/// Records with a timeline of its own.
fn of_a_span() -> Duration {
    let timeline = Timeline::with_declared_tasks();
    let subscriber = tracing_subscriber::registry()
        .with(timeline)
        .with(LevelFilter::INFO);
    let mut tries = tracing::subscriber::with_default(subscriber, || {
        [(); TRIES].map(|()| {
            let start = Moment::now();
            for _ in 0..SPANS {
                info_span!("price", wait = "io").in_scope(|| ());
            }
            (Moment::now() - start) / SPANS
        })
    });
    tries.sort();
    tries[TRIES / 2]
}
