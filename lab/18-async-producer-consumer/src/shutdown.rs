//! Stopping in mid-run: at once, and gracefully.

use crate::{Entries, Pipeline, Plan};

/// Aborts all tasks when `after` items are finished; what the queue had accepted is lost.
pub async fn stop_at_once(plan: Plan, after: usize) -> Entries {
    let mut pipeline = Pipeline::start(plan);
    pipeline.books.until_finished(after).await;
    pipeline.tasks.abort_all();
    pipeline.finish().await
}

/// Tells the producer to stop when `after` items are finished; consumers empty the queue.
pub async fn stop_gracefully(plan: Plan, after: usize) -> Entries {
    let pipeline = Pipeline::start(plan);
    pipeline.books.until_finished(after).await;
    // The producer drops its end, and that is all the consumers need to know.
    pipeline.stop.send_replace(true);
    pipeline.finish().await
}
