//! A call that blocks the one thread of a runtime, and the same call moved off it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use tokio::{
    task,
    time::{self, Instant},
};

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

/// One tick of the light task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// How much later than due the task ran.
    pub late: Duration,
    /// Whether the call was under way at that moment.
    pub during_the_call: bool,
}

/// What both tasks can see.
#[derive(Debug, Default)]
struct Shared {
    call_is_under_way: AtomicBool,
    is_over: AtomicBool,
}

/// Makes the call on the thread of the runtime; returns the light task's ticks.
///
/// For a runtime of one thread.
pub async fn block_the_executor(plan: Plan) -> Vec<Tick> {
    tick_beside(plan, |shared| async move {
        // BUG (on purpose): no `await`, so nobody else is polled until the call returns.
        call_blocking(plan.call, &shared);
    })
    .await
}

/// Makes the call on a thread for such calls, and awaits it; returns the light task's ticks.
pub async fn move_the_call_away(plan: Plan) -> Vec<Tick> {
    tick_beside(plan, |shared| async move {
        let call = task::spawn_blocking(move || call_blocking(plan.call, &shared));
        call.await.expect("the call does not panic");
    })
    .await
}

/// Blocks its thread, as a driver or a file system without `async` does.
#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn call_blocking(takes: Duration, shared: &Shared) {
    shared.call_is_under_way.store(true, SeqCst);
    thread::sleep(takes);
    shared.call_is_under_way.store(false, SeqCst);
}

async fn tick_beside<F>(plan: Plan, call: impl FnOnce(Arc<Shared>) -> F) -> Vec<Tick>
where
    F: Future<Output = ()> + Send + 'static,
{
    let shared = Arc::new(Shared::default());
    let light = tokio::spawn(tick_until_over(plan.tick, Arc::clone(&shared)));
    let heavy = tokio::spawn(call_in_the_middle(plan.tick, call(Arc::clone(&shared))));
    heavy.await.expect("the heavy task does not panic");
    shared.is_over.store(true, SeqCst);
    light.await.expect("the light task does not panic")
}

#[tracing::instrument(name = "task", skip_all, fields(task = "light", wait = "sleep"))]
async fn tick_until_over(tick: Duration, shared: Arc<Shared>) -> Vec<Tick> {
    let mut ticks = Vec::new();
    while !shared.is_over.load(SeqCst) {
        let due = Instant::now() + tick;
        time::sleep_until(due).await;
        ticks.push(Tick {
            late: due.elapsed(),
            during_the_call: shared.call_is_under_way.load(SeqCst),
        });
    }
    ticks
}

#[tracing::instrument(name = "task", skip_all, fields(task = "heavy", wait = "sleep"))]
async fn call_in_the_middle(tick: Duration, call: impl Future<Output = ()>) {
    time::sleep(tick * CALM_TICKS).await;
    call.await;
    time::sleep(tick * CALM_TICKS).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_on_this_thread;

    const PLAN: Plan = Plan {
        tick: Duration::from_millis(2),
        call: Duration::from_millis(60),
    };

    #[test]
    fn a_blocked_thread_lets_no_tick_through_and_the_next_is_late_by_the_call() {
        let ticks = run_on_this_thread(block_the_executor(PLAN)).expect("a runtime starts");
        assert!(ticks.iter().all(|tick| !tick.during_the_call));
        let worst = ticks.iter().map(|tick| tick.late).max();
        // Only a lower bound: due at most a tick after the call began, run after its end.
        assert!(worst >= Some(PLAN.call - PLAN.tick), "{worst:?}");
    }

    #[test]
    fn a_call_on_another_thread_leaves_this_one_free() {
        // Not by the clock: the call ends when it has been seen under way, or it would hang.
        let (tx, rx) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let seen = run_on_this_thread(tick_beside(PLAN, |shared| async move {
                let seen = Arc::clone(&shared);
                let blocking = task::spawn_blocking(move || {
                    shared.call_is_under_way.store(true, SeqCst);
                    while shared.call_is_under_way.load(SeqCst) {
                        thread::yield_now();
                    }
                });
                while !seen.call_is_under_way.load(SeqCst) {
                    task::yield_now().await;
                }
                time::sleep(PLAN.tick * 5).await;
                seen.call_is_under_way.store(false, SeqCst);
                blocking.await.expect("it does not panic");
            }));
            tx.send(seen.expect("a runtime starts"))
        });
        let ticks = rx.recv_timeout(Duration::from_secs(60)).expect("it hangs");
        assert!(ticks.iter().any(|tick| tick.during_the_call));
    }

    #[test]
    fn the_repair_ends_with_the_call() {
        let ticks = run_on_this_thread(move_the_call_away(PLAN)).expect("a runtime starts");
        assert!(!ticks.is_empty());
    }
}
