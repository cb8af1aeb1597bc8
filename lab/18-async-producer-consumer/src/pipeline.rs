//! A producer and consumers at work: alone, beside a task that computes, and stopped in mid-run.

use crate::{Plan, consume, produce};
use measure::workload::mix;
use std::sync::Arc;
use tokio::{
    sync::{Mutex, Notify, mpsc},
    task::{self, JoinSet},
};

/// What a run has finished.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The numbers of the finished items, in that order.
    pub finished: Vec<u64>,
    /// One message for each consumer that panicked.
    pub panics: Vec<String>,
}

/// Makes and consumes all items; ends with the last one, or when no consumer is left.
pub async fn run_pipeline(plan: Plan) -> Outcome {
    Pipeline::start(plan).finish().await
}

/// A producer and consumers at work.
struct Pipeline {
    tasks: JoinSet<()>,
    stop: Arc<Notify>,
    done: mpsc::UnboundedReceiver<u64>,
    outcome: Outcome,
}

impl Pipeline {
    fn start(plan: Plan) -> Self {
        let (tx, rx) = mpsc::channel(plan.capacity);
        let (report, done) = mpsc::unbounded_channel();
        // One channel has one receiver; the consumers share it.
        let rx = Arc::new(Mutex::new(rx));
        let mut tasks = JoinSet::new();
        for number in 1..=plan.consumers.get() {
            tasks.spawn(consume(number, Arc::clone(&rx), report.clone()));
        }
        // Kept here, it would leave a producer waiting for room when all consumers have panicked.
        drop(rx);
        let stop = Arc::new(Notify::new());
        tasks.spawn(produce(plan.items, plan.makes, tx, Arc::clone(&stop)));
        let outcome = Outcome::default();
        Self {
            tasks,
            stop,
            done,
            outcome,
        }
    }

    /// Waits until `count` items are finished.
    async fn until_finished(&mut self, count: usize) {
        while self.outcome.finished.len() < count
            && let Some(number) = self.done.recv().await
        {
            self.outcome.finished.push(number);
        }
    }

    /// Waits for all tasks. A panic is a value here, for whoever joins the task.
    async fn finish(mut self) -> Outcome {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                self.outcome.panics.push(error.to_string());
            }
        }
        // Closed by now, because all consumers have ended: `recv` returns what is left, then `None`.
        self.until_finished(usize::MAX).await;
        self.outcome
    }
}

/// Aborts all tasks when `after` items are finished; what the queue had accepted is lost.
pub async fn stop_at_once(plan: Plan, after: usize) -> Outcome {
    let mut pipeline = Pipeline::start(plan);
    pipeline.until_finished(after).await;
    pipeline.tasks.abort_all();
    pipeline.finish().await
}

/// Stops the producer when `after` items are finished; consumers empty the queue.
pub async fn stop_gracefully(plan: Plan, after: usize) -> Outcome {
    let mut pipeline = Pipeline::start(plan);
    pipeline.until_finished(after).await;
    // The producer drops its end, and that is all the consumers need to know.
    pipeline.stop.notify_one();
    pipeline.finish().await
}

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

/// Computes in one go beside a pipeline on the same thread; returns what it computed, too.
pub async fn run_beside_hog(plan: Plan, work: Work) -> (Outcome, u64) {
    let mut pipeline = Pipeline::start(plan);
    pipeline.until_finished(work.after).await;
    let hog = task::spawn(compute_in_one_go(work));
    (
        pipeline.finish().await,
        hog.await.expect("computing does not panic"),
    )
}

/// Computes the same beside a pipeline, and yields after each piece.
pub async fn run_beside_polite_task(plan: Plan, work: Work) -> (Outcome, u64) {
    let mut pipeline = Pipeline::start(plan);
    pipeline.until_finished(work.after).await;
    let polite = task::spawn(compute_yielding(work));
    (
        pipeline.finish().await,
        polite.await.expect("computing does not panic"),
    )
}

#[tracing::instrument(name = "compute", skip_all, fields(task = "hog", wait = "turn"))]
async fn compute_in_one_go(work: Work) -> u64 {
    // BUG (on purpose): no `await` in this loop, so the thread is taken until it is done.
    (1..=work.pieces).fold(0, |value, _| mix(value, work.steps))
}

#[tracing::instrument(name = "compute", skip_all, fields(task = "polite", wait = "turn"))]
async fn compute_yielding(work: Work) -> u64 {
    let mut value = 0;
    for _ in 0..work.pieces {
        value = mix(value, work.steps);
        // Every other task that is ready runs first; then this one goes on.
        task::yield_now().await;
    }
    value
}
