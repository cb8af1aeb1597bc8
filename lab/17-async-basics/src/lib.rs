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
pub mod executor;

use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, task::JoinSet, time};
use tracing::{Instrument, info_span};

/// Runs a future to its end on the calling thread: Python's `asyncio.run`.
pub fn run_on_this_thread<F: Future>(future: F) -> F::Output {
    let mut builder = Builder::new_current_thread();
    // The name is of the threads for blocking calls.
    let runtime = builder.enable_time().thread_name("blocking").build();
    runtime.expect("a runtime").block_on(future)
}

/// A call whose answer, its number, takes a while; the thread is free for others meanwhile.
#[tracing::instrument(name = "call", skip_all, fields(wait = "io"))]
async fn answer(number: usize, takes: Duration) -> usize {
    time::sleep(takes).await;
    number
}

/// The same call, blocking its thread until the answer is there.
#[tracing::instrument(name = "call", skip_all, fields(wait = "io"))]
fn answer_blocking(number: usize, takes: Duration) -> usize {
    thread::sleep(takes);
    number
}

/// Awaits one answer before it makes the next call: asynchronous, and still sequential.
pub async fn await_in_a_loop(count: usize, takes: Duration) -> Vec<usize> {
    let mut answers = Vec::with_capacity(count);
    for number in 1..=count {
        answers.push(answer(number, takes).await);
    }
    answers
}

/// Awaits all answers at once in one task; answers come in the order of the calls.
///
/// # Cancel safety
/// A dropped future takes its calls along.
pub async fn join_in_one_task(count: usize, takes: Duration) -> Vec<usize> {
    let lane = |task| info_span!("future", task, wait = "io");
    let call = |number| answer(number, takes).instrument(lane(number));
    join_all((1..=count).map(call)).await
}

/// Makes each call in a task of its own; answers come as they are ready.
///
/// # Cancel safety
/// A dropped future takes its tasks along.
pub async fn spawn_each(count: usize, takes: Duration) -> Vec<usize> {
    let lane = |task| info_span!("task", task, wait = "io");
    let mut tasks = JoinSet::new();
    for number in 1..=count {
        tasks.spawn(answer(number, takes).instrument(lane(number)));
    }
    tasks.join_all().await
}

/// Makes each call, one that blocks, on a thread for such calls.
///
/// # Cancel safety
/// A dropped future leaves the calls that have begun running to their ends.
pub async fn spawn_blocking_each(count: usize, takes: Duration) -> Vec<usize> {
    let mut tasks = JoinSet::new();
    for number in 1..=count {
        tasks.spawn_blocking(move || answer_blocking(number, takes));
    }
    tasks.join_all().await
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
