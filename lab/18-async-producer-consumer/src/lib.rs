//! A producer, a queue and consumers, all tasks of one thread.
//!
//! What is in the queue belongs to nobody else; the producer cannot touch it any more:
//!
//! ```compile_fail,E0382
//! # async fn produce(tx: tokio::sync::mpsc::Sender<String>) {
//! let item = String::from("EURUSD");
//! let _ = tx.send(item).await;
//! println!("{item}");
//! # }
//! ```

mod books;
pub mod hog;
mod queue;
pub mod shutdown;

pub use books::{Depth, Entries};
pub use queue::Capacity;

use books::Books;
use process_pool::panics;
use queue::{Rx, Tx};
use std::{io, num::NonZeroUsize, panic::resume_unwind, sync::Arc, time::Duration};
use tokio::{
    runtime::Builder,
    select,
    sync::watch,
    task::{JoinError, JoinSet},
    time,
};

/// Something to be made and consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its number, from 1.
    pub number: u64,
    /// How long a consumer needs for it.
    pub takes: Duration,
    /// What happens to its consumer.
    pub kind: Kind,
}

/// What an item does to its consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is finished like any other.
    Harmless,
    /// The consumer panics over it.
    Poisonous,
}

/// What is made, through which queue, for how many consumers.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The items in the order of their making.
    pub items: Vec<Item>,
    /// How long the making of one takes.
    pub makes: Duration,
    /// What the queue holds.
    pub capacity: Capacity,
    /// How many consumers take from it.
    pub consumers: NonZeroUsize,
}

/// Runs a future to its end on the calling thread, and no other: Python's `asyncio.run`.
///
/// # Errors
/// The system refuses the runtime its event queue.
pub fn run_on_this_thread<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    Ok(runtime.block_on(future))
}

/// Makes and consumes all items; ends when the last is finished, or nobody is left to take one.
pub async fn run_pipeline(plan: Plan) -> Entries {
    Pipeline::start(plan).finish().await
}

/// A producer and consumers at work.
struct Pipeline {
    books: Arc<Books>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Pipeline {
    fn start(plan: Plan) -> Self {
        let (tx, rx) = queue::queue(plan.capacity);
        let books = Arc::new(Books::open());
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for number in 1..=plan.consumers.get() {
            tasks.spawn(consume(number, rx.clone(), Arc::clone(&books)));
        }
        // Kept here, it would leave a producer waiting for room when all consumers have panicked.
        drop(rx);
        tasks.spawn(produce(
            plan.items,
            plan.makes,
            tx,
            Arc::clone(&books),
            stopped,
        ));
        Self { books, tasks, stop }
    }

    /// Waits for all tasks, and closes the books. A panic is an entry in them.
    async fn finish(mut self) -> Entries {
        while let Some(ended) = self.tasks.join_next().await {
            if let Some(message) = ended.err().and_then(panic_message) {
                self.books.panicked(message);
            }
        }
        self.books.close()
    }
}

/// Makes items and puts them into the queue, until it is told to stop or nobody takes any more.
#[tracing::instrument(name = "task", skip_all, fields(task = "producer", wait = "sleep"))]
async fn produce(
    items: Vec<Item>,
    makes: Duration,
    tx: Tx,
    books: Arc<Books>,
    mut stopped: watch::Receiver<bool>,
) {
    for item in items {
        let accepted = async {
            time::sleep(makes).await;
            tx.put(item, &books).await
        };
        select! {
            biased;
            // To be dropped in the middle costs the item that was to come, and none in the queue.
            _ = stopped.wait_for(|&stopped| stopped) => return,
            accepted = accepted => if !accepted { return },
        }
    }
    // Here `tx` is dropped. That closes the queue: consumers get what is in it, and then `None`.
}

/// Takes and finishes items until the queue is closed and empty.
#[tracing::instrument(name = "consumer", skip_all, fields(task = number, wait = "queue empty"))]
async fn consume(number: usize, rx: Rx, books: Arc<Books>) {
    while let Some(item) = rx.next(&books).await {
        work_on(item).await;
        books.finish(item.number);
    }
}

#[tracing::instrument(name = "consume", skip_all, fields(wait = "io"))]
async fn work_on(item: Item) {
    time::sleep(item.takes).await;
    if item.kind == Kind::Poisonous {
        // A panic without its message on the terminal: whoever joins the task tells it.
        resume_unwind(Box::new(format!("item {} is poisonous", item.number)));
    }
}

/// What a task panicked with; `None` for one that was aborted.
fn panic_message(ended: JoinError) -> Option<String> {
    let payload = ended.try_into_panic().ok()?;
    Some(panics::message(payload.as_ref()))
}

#[cfg(test)]
mod tests;
