//! What recording costs, measured in this very process.

use super::{Moment, Timeline, Toll};
use std::{sync::OnceLock, time::Duration};
use tracing::{info_span, level_filters::LevelFilter};
use tracing_subscriber::layer::SubscriberExt;

/// So often the price is measured; the middle one counts, so that a pause of the machine does not.
const TRIES: usize = 7;

/// A span around nothing is made, entered and left.
const SPANS: u32 = 48;
const EVENTS: u32 = 3 * SPANS;

impl Toll {
    /// What all of it cost, by what each costs in this process, measured at the first call.
    pub fn cost(&self) -> Duration {
        static PRICE: OnceLock<Duration> = OnceLock::new();
        let price = PRICE.get_or_init(of_events).as_secs_f64() / f64::from(EVENTS);
        Duration::from_secs_f64(price * self.events as f64) + self.held_up
    }
}

/// Records with a timeline of its own.
fn of_events() -> Duration {
    let timeline = Timeline::with_declared_tasks();
    let subscriber = tracing_subscriber::registry().with(timeline);
    let subscriber = subscriber.with(LevelFilter::INFO);
    let mut tries = tracing::subscriber::with_default(subscriber, || {
        [(); TRIES].map(|()| {
            let start = Moment::now();
            (0..SPANS).for_each(|_| info_span!("price", wait = "io").in_scope(|| ()));
            Moment::now() - start
        })
    });
    tries.sort();
    tries[TRIES / 2]
}
