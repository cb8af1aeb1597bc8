//! A task that computes beside the others: never yielding, and yielding now and then.

use crate::{Entries, Pipeline, Plan, books::Books};
use measure::workload::mix;
use std::sync::Arc;
use tokio::task;

/// CPU work in pieces, and when to begin it.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// How many pieces.
    pub pieces: u64,
    /// Steps of a piece.
    pub steps: u64,
    /// It begins when this many items are finished.
    pub after: usize,
}

/// What became of the items, and of the others while the work was done.
#[derive(Clone, Debug)]
pub struct Hogged {
    /// The books of the pipeline.
    pub entries: Entries,
    /// What the work computed.
    pub value: u64,
    /// Items that others finished between its beginning and its end.
    pub finished_meanwhile: usize,
}

/// Computes in one go beside a pipeline on the same thread.
pub async fn run_beside_hog(plan: Plan, work: Work) -> Hogged {
    let pipeline = Pipeline::start(plan);
    let hog = task::spawn(compute_in_one_go(work, Arc::clone(&pipeline.books)));
    finish(pipeline, hog).await
}

/// Computes the same beside a pipeline, and yields after each piece.
pub async fn run_beside_polite_task(plan: Plan, work: Work) -> Hogged {
    let pipeline = Pipeline::start(plan);
    let polite = task::spawn(compute_yielding(work, Arc::clone(&pipeline.books)));
    finish(pipeline, polite).await
}

async fn finish(pipeline: Pipeline, computing: task::JoinHandle<(u64, usize)>) -> Hogged {
    let entries = pipeline.finish().await;
    let (value, finished_meanwhile) = computing.await.expect("computing does not panic");
    Hogged {
        entries,
        value,
        finished_meanwhile,
    }
}

#[tracing::instrument(name = "task", skip_all, fields(task = "hog", wait = "turn"))]
async fn compute_in_one_go(work: Work, books: Arc<Books>) -> (u64, usize) {
    books.until_finished(work.after).await;
    let before = books.finished();
    // BUG (on purpose): no `await` in this loop, so the thread is taken until it is done.
    let value = (1..=work.pieces).fold(0, |value, _| mix(value, work.steps));
    (value, books.finished() - before)
}

#[tracing::instrument(name = "task", skip_all, fields(task = "polite", wait = "turn"))]
async fn compute_yielding(work: Work, books: Arc<Books>) -> (u64, usize) {
    books.until_finished(work.after).await;
    let before = books.finished();
    let mut value = 0;
    for _ in 0..work.pieces {
        value = mix(value, work.steps);
        // Whoever has something to do comes first now; then it goes on here.
        task::yield_now().await;
    }
    (value, books.finished() - before)
}
