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

pub mod cancellation;
pub mod cpu;
pub mod executor;

use futures_util::future::join_all;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, task::JoinSet, time};

/// Runs a future to its end on the calling thread: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        // Of the threads for blocking calls.
        .thread_name("blocking")
        .build()?;
    Ok(runtime.block_on(future))
}

/// A call whose answer, its number, takes a while.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Its number.
    pub number: usize,
    /// How long its answer takes.
    pub takes: Duration,
}

impl Call {
    /// Waits for the answer; the thread is free for others meanwhile.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait.
    #[tracing::instrument(name = "call", skip_all, fields(wait = "io"))]
    pub async fn answer(self) -> usize {
        time::sleep(self.takes).await;
        self.number
    }

    /// Blocks its thread until the answer is there.
    #[tracing::instrument(name = "call", skip_all, fields(wait = "io"))]
    pub fn answer_blocking(self) -> usize {
        thread::sleep(self.takes);
        self.number
    }
}

/// Awaits one answer before it makes the next call: asynchronous, and still sequential.
pub async fn await_in_a_loop(calls: Vec<Call>) -> Vec<usize> {
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
pub async fn join_in_one_task(calls: Vec<Call>) -> Vec<usize> {
    join_all(calls.into_iter().map(as_future)).await
}

/// Makes each call in a task of its own; answers come as they are ready.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn spawn_each(calls: Vec<Call>) -> Vec<usize> {
    let mut tasks = JoinSet::new();
    for call in calls {
        tasks.spawn(as_task(call));
    }
    tasks.join_all().await
}

/// Makes each call, one that blocks, on a thread for such calls.
///
/// # Cancel safety
/// A dropped future leaves the calls that have begun running to their ends.
pub async fn spawn_blocking_each(calls: Vec<Call>) -> Vec<usize> {
    let mut tasks = JoinSet::new();
    for call in calls {
        tasks.spawn_blocking(move || call.answer_blocking());
    }
    tasks.join_all().await
}

#[tracing::instrument(name = "future", skip_all, fields(task = call.number, wait = "io"))]
async fn as_future(call: Call) -> usize {
    call.answer().await
}

#[tracing::instrument(name = "task", skip_all, fields(task = call.number, wait = "io"))]
async fn as_task(call: Call) -> usize {
    call.answer().await
}

/// Makes `count` futures, awaits one, spawns the others: how many had begun after each step.
///
/// For a runtime of one thread, where tasks begin in the order in which they are spawned.
pub async fn count_begun(count: usize) -> [usize; 3] {
    let begun = Arc::new(AtomicUsize::new(0));
    let begin = |begun: Arc<AtomicUsize>| async move {
        begun.fetch_add(1, SeqCst);
    };
    let mut futures: Vec<_> = (0..count).map(|_| begin(Arc::clone(&begun))).collect();
    let when_made = begun.load(SeqCst);
    if let Some(one) = futures.pop() {
        one.await;
    }
    let when_one_awaited = begun.load(SeqCst);
    for future in futures {
        tokio::spawn(future);
    }
    // The last in the queue: when it has run, those before it have begun.
    let _ = tokio::spawn(async {}).await;
    [when_made, when_one_awaited, begun.load(SeqCst)]
}

#[cfg(test)]
mod tests;
