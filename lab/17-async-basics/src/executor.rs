//! A call that blocks the one thread of a runtime, and the same call moved off it.

use std::{thread, time::Duration};
use tokio::{task, time};

/// Pauses before and after the call, in ticks, in which the light task has the thread to itself.
pub const CALM_TICKS: u32 = 3;

/// A light task that ticks, and a call beside it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// From one tick to the next.
    pub tick: Duration,
    /// How long the call blocks its thread.
    pub call: Duration,
}

/// Makes the call on the thread of the runtime, which is to be its only one.
pub async fn block_the_executor(plan: Plan) {
    tick_beside(plan, async move {
        // BUG (on purpose): no `await`, so no other task is polled until the call returns.
        call_blocking(plan.call);
    })
    .await;
}

/// Makes the call on a thread for such calls, and awaits it.
pub async fn move_the_call_away(plan: Plan) {
    tick_beside(plan, async move {
        let call = task::spawn_blocking(move || call_blocking(plan.call));
        call.await.expect("the call does not panic");
    })
    .await;
}

/// Blocks its thread, as a driver or a file system without `async` does.
#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn call_blocking(takes: Duration) {
    thread::sleep(takes);
}

async fn tick_beside(plan: Plan, call: impl Future<Output = ()> + Send + 'static) {
    let light = tokio::spawn(tick_on(plan.tick));
    let heavy = tokio::spawn(call_in_the_middle(plan.tick, call));
    heavy.await.expect("the heavy task does not panic");
    light.abort();
    let _ = light.await;
}

#[tracing::instrument(name = "task", skip_all, fields(task = "light", wait = "sleep"))]
async fn tick_on(tick: Duration) {
    loop {
        wait_for_tick(tick).await;
    }
}

#[tracing::instrument(name = "tick", skip_all, fields(wait = "sleep"))]
async fn wait_for_tick(tick: Duration) {
    time::sleep(tick).await;
}

#[tracing::instrument(name = "task", skip_all, fields(task = "heavy", wait = "sleep"))]
async fn call_in_the_middle(tick: Duration, call: impl Future<Output = ()>) {
    time::sleep(tick * CALM_TICKS).await;
    call.await;
    time::sleep(tick * CALM_TICKS).await;
}
