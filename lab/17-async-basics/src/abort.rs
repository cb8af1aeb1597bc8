//! Cancellation by `abort`: a task stops at its `await`, a blocking call does not stop.

use std::sync::Arc;
use tokio::{
    runtime::Handle,
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
    let go = Arc::new(Semaphore::new(0));
    let (mut tasks, mut calls) = (JoinSet::new(), JoinSet::new());
    for number in 1..=count {
        // The same wait twice: a task awaits it, a call blocks its thread until it is over.
        let [task, call] = [(); 2].map(|()| {
            let (begun, go) = (begun.clone(), Arc::clone(&go));
            async move {
                let _ = begun.send(());
                let _permit = go.acquire().await;
            }
        });
        tasks.spawn(task.instrument(info_span!("task", task = number, wait = "io")));
        calls.spawn_blocking(|| {
            info_span!("blocking call", wait = "io").in_scope(|| Handle::current().block_on(call));
        });
    }
    for _ in 0..2 * count {
        begins.recv().await;
    }
    tasks.abort_all();
    calls.abort_all();
    go.add_permits(2 * count);
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
