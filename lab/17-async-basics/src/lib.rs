//! The same waits four ways: awaited in a loop, joined, spawned, and on blocking threads.
//!
//! Calling an `async fn` only makes a future, and only what is asynchronous itself can await it:
//!
//! ```compile_fail,E0728
//! async fn fetch() {}
//! fn main() {
//!     fetch().await;
//! }
//! ```

pub mod abort;
pub mod cancellation;
pub mod cpu;
pub mod executor;
mod gauge;
mod laziness;

pub use gauge::Gauge;
pub use laziness::{Begun, count_begun};

use futures_util::future::join_all;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::{self, ThreadId},
    time::Duration,
};
use tokio::{runtime::Builder, task::JoinSet, time};

/// Runs a future to its end on the calling thread: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let number = AtomicUsize::new(0);
    let runtime = Builder::new_current_thread()
        .enable_time()
        // Threads for blocking calls. Relaxed: a number for each name, and nothing hangs on it.
        .thread_name_fn(move || format!("blocking {}", number.fetch_add(1, Relaxed) + 1))
        .build()?;
    Ok(runtime.block_on(future))
}

/// A call whose answer takes a while.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number.
    pub number: usize,
    /// How long its answer takes.
    pub takes: Duration,
    /// Where it is counted.
    pub gauge: Arc<Gauge>,
}

/// What a call brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The number of its call.
    pub number: usize,
    /// The thread that it came on.
    pub thread: ThreadId,
}

impl Call {
    /// Waits for the answer; the thread is free for others meanwhile.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    #[tracing::instrument(name = "call", skip_all, fields(wait = "io"))]
    pub async fn answer(self) -> Answer {
        let _open = self.gauge.open();
        time::sleep(self.takes).await;
        self.answered()
    }

    /// Blocks its thread until the answer is there.
    #[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
    pub fn answer_blocking(self) -> Answer {
        let _open = self.gauge.open();
        thread::sleep(self.takes);
        self.answered()
    }

    fn answered(&self) -> Answer {
        Answer {
            number: self.number,
            thread: thread::current().id(),
        }
    }
}

/// Awaits one answer before it makes the next call: asynchronous, and still sequential.
pub async fn await_in_a_loop(calls: Vec<Call>) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(calls.len());
    for call in calls {
        answers.push(call.answer().await);
    }
    answers
}

/// Awaits all answers at once in one task; answers come in the order of the calls.
///
/// # Cancel safety
/// A dropped future takes its calls along.
pub async fn join_in_one_task(calls: Vec<Call>) -> Vec<Answer> {
    join_all(calls.into_iter().map(as_future)).await
}

/// Makes each call in a task of its own; answers come in the order of the calls.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn spawn_each(calls: Vec<Call>) -> Vec<Answer> {
    let tasks: JoinSet<Answer> = calls.into_iter().map(as_task).collect();
    in_order(tasks).await
}

/// Makes each call, one that blocks, on a thread for such calls; in the order of the calls.
///
/// # Cancel safety
/// A dropped future leaves the calls that have begun running to their ends.
pub async fn spawn_blocking_each(calls: Vec<Call>) -> Vec<Answer> {
    let mut tasks = JoinSet::new();
    for call in calls {
        tasks.spawn_blocking(move || call.answer_blocking());
    }
    in_order(tasks).await
}

#[tracing::instrument(name = "future", skip_all, fields(task = call.number, wait = "io"))]
async fn as_future(call: Call) -> Answer {
    call.answer().await
}

#[tracing::instrument(name = "task", skip_all, fields(task = call.number, wait = "io"))]
async fn as_task(call: Call) -> Answer {
    call.answer().await
}

/// Waits for every task, and passes a panic on.
async fn in_order(tasks: JoinSet<Answer>) -> Vec<Answer> {
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|answer| answer.number);
    answers
}

#[cfg(test)]
mod tests;
