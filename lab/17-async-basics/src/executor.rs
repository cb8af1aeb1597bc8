//! What keeps the thread of a runtime: a call that blocks; and the same moved off it.

use std::{thread, time::Duration};
use tokio::{
    task::{self, JoinSet},
    time,
};
use tracing::{Instrument, info_span};

/// Pauses before and after the call, in ticks, in which the light task has the thread to itself.
pub const CALM_TICKS: u32 = 3;

/// Makes the call on the thread of the runtime, which is to be its only one.
pub async fn block_the_executor(tick: Duration, takes: Duration) {
    tick_beside(tick, async move {
        // BUG (on purpose): no `await`, so no other task is polled until the call returns.
        call_blocking(takes);
    })
    .await;
}

/// Makes the call on a thread for such calls, and awaits it.
pub async fn move_the_call_away(tick: Duration, takes: Duration) {
    tick_beside(tick, async move {
        let call = task::spawn_blocking(move || call_blocking(takes));
        call.await.expect("the call does not panic");
    })
    .await;
}

/// Blocks its thread, as a driver or a file system without `async` does.
#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn call_blocking(takes: Duration) {
    thread::sleep(takes);
}

async fn tick_beside(tick: Duration, call: impl Future<Output = ()> + Send + 'static) {
    let light = async move {
        loop {
            let next = time::sleep(tick).instrument(info_span!("tick", wait = "sleep"));
            next.await;
        }
    };
    let heavy = async move {
        time::sleep(tick * CALM_TICKS).await;
        call.await;
        time::sleep(tick * CALM_TICKS).await;
    };
    let lane = |task| info_span!("task", task, wait = "sleep");
    let mut tasks = JoinSet::new();
    tasks.spawn(light.instrument(lane("light")));
    tasks.spawn(heavy.instrument(lane("heavy")));
    // The light task has no end: the set's own end aborts it.
    tasks.join_next().await;
    tasks.shutdown().await;
}
