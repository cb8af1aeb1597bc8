//! Cancellation by `abort`: a task stops at its `await`, a blocking call does not stop.

use std::sync::{Arc, Barrier};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tracing::{Instrument, info_span};

/// Begins `count` tasks and as many blocking calls, aborts all, and only then lets them go on.
///
/// Returns how many tasks, and how many calls, reached their end all the same. For at most 512
/// calls: tokio has no more threads for such, and those in its queue never begin.
pub async fn abort_in_the_middle(count: usize) -> [usize; 2] {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (go, gate) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(Barrier::new(count + 1)),
    );
    let (mut tasks, mut calls) = (JoinSet::new(), JoinSet::new());
    for number in 1..=count {
        let (begun_task, go) = (begun.clone(), Arc::clone(&go));
        let task = async move {
            let _ = begun_task.send(());
            let _permit = go.acquire().await;
        };
        tasks.spawn(task.instrument(info_span!("task", task = number, wait = "io")));
        let (begun, gate) = (begun.clone(), Arc::clone(&gate));
        calls.spawn_blocking(move || {
            let _ = begun.send(());
            info_span!("blocking call", wait = "io").in_scope(|| gate.wait());
        });
    }
    for _ in 0..2 * count {
        begins.recv().await;
    }
    tasks.abort_all();
    calls.abort_all();
    go.add_permits(count);
    // All calls have come to the gate or are about to, so this thread is not blocked for long.
    gate.wait();
    [count_ended(tasks).await, count_ended(calls).await]
}

/// What was aborted comes out of the set too, as an error.
async fn count_ended(mut all: JoinSet<()>) -> usize {
    let mut ended = 0;
    while let Some(outcome) = all.join_next().await {
        ended += usize::from(outcome.is_ok());
    }
    ended
}
