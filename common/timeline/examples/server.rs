//! Requests of a tokio server and a thread that shares a lock with them, as a trace for Perfetto.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use timeline::Timeline;
use tokio::{runtime::Builder, task::JoinSet, time::sleep};
use tracing::{Instrument, info, info_span, level_filters::LevelFilter};
use tracing_subscriber::prelude::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tracing::instrument(skip(seen))]
async fn request(user: u64, seen: Arc<Mutex<u64>>) {
    sleep(ms(user))
        .instrument(info_span!("database", wait = "io"))
        .await;
    let mut seen = info_span!("acquire", wait = "lock").in_scope(|| seen.lock().expect("no panic"));
    *seen += 1;
    info!(queue = "seen", depth = *seen);
}

#[tracing::instrument(skip(seen))]
fn take_stock(seen: &Mutex<u64>) {
    let held = info_span!("acquire", wait = "lock").in_scope(|| seen.lock().expect("no panic"));
    thread::sleep(ms(20));
    drop(held);
}

fn main() -> std::io::Result<()> {
    let timeline = Timeline::new();
    tracing_subscriber::registry()
        .with(timeline.clone())
        .with(LevelFilter::INFO)
        .init();
    let path = std::env::temp_dir().join("timeline-example.json");
    // Whatever ends this program early, what was recorded is written.
    let trace = timeline.write_on_drop(path)?;
    let seen = Arc::new(Mutex::new(0));
    let stock = thread::spawn({
        let seen = Arc::clone(&seen);
        move || (0..3).for_each(|_| take_stock(&seen))
    });
    let runtime = Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        let mut requests = JoinSet::new();
        for user in [70, 30, 50] {
            requests.spawn(request(user, Arc::clone(&seen)));
        }
        requests.join_all().await;
    });
    stock.join().expect("it only sleeps");
    trace.write()
}
