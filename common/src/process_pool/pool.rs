//! The pool as its user sees it.

use super::{
    Ledger, Task, TaskError,
    batch::{self, Records},
    shared::{Piece, Reply, Shared},
    task,
};
use crossbeam_channel::{Receiver, Sender};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fmt,
    iter::FusedIterator,
    marker::PhantomData,
    num::NonZeroUsize,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How many tasks [`ProcessPool::map_unordered`] is ahead of its reader, per worker; more where
/// orders are larger.
const AHEAD_PER_WORKER: usize = 256;

/// How many tasks it is ahead at most, per worker.
const FARTHEST_AHEAD: usize = 1 << 16;

/// How many orders of the present size it is ahead, per worker.
const ORDERS_AHEAD: usize = 4;

/// How many bytes of inputs are queued together at most.
const LOT_BYTES: usize = 1 << 20;

/// Inputs that take longer than this to come do not wait for others.
const LOT_TIME: Duration = Duration::from_micros(100);

/// Worker processes that run one function; made by [`Worker::pool`](super::Worker::pool).
///
/// Dropping it cancels what waits and runs, kills the workers and reaps them.
pub struct ProcessPool<I, O> {
    shared: Arc<Shared>,
    pub(super) managers: Vec<JoinHandle<()>>,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> fmt::Debug for ProcessPool<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("role", &self.shared.settings.role)
            .field("worker_ids", &self.worker_ids())
            .field("ledger", &self.ledger())
            .finish_non_exhaustive()
    }
}

impl<I, O> ProcessPool<I, O> {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            managers: Vec::new(),
            types: PhantomData,
        }
    }

    /// How many workers it was asked for.
    pub fn workers(&self) -> NonZeroUsize {
        self.shared.settings.workers
    }

    /// What became of all tasks and workers so far.
    ///
    /// When nothing waits or runs, `submitted = done + failed + cancelled`.
    pub fn ledger(&self) -> Ledger {
        self.shared.ledger()
    }

    /// The process ids of the workers that are ready; one that is being replaced is left out.
    pub fn worker_ids(&self) -> Vec<u32> {
        self.shared.worker_ids()
    }

    /// How long each worker took from its spawning until it was ready.
    pub fn startup(&self) -> Vec<Duration> {
        self.shared.startup()
    }

    /// Waits until every submitted task has ended, then ends the workers.
    ///
    /// Returns the final ledger. To end without waiting, drop the pool.
    pub fn shutdown(mut self) -> Ledger {
        self.shared.finish();
        self.join();
        self.shared.ledger()
    }

    fn join(&mut self) {
        for manager in self.managers.drain(..) {
            // A manager that panicked has broken the pool and said so to every task.
            let _ = manager.join();
        }
    }
}

impl<I, O> Drop for ProcessPool<I, O> {
    fn drop(&mut self) {
        self.shared.stop();
        self.join();
    }
}

impl<I: Serialize, O: DeserializeOwned> ProcessPool<I, O> {
    /// Runs one task per input and returns the outcomes in the order of the inputs.
    ///
    /// Takes inputs as it goes: apart from the outcomes it holds a bounded number of them.
    /// Blocks until all tasks have ended.
    pub fn map(&self, inputs: impl IntoIterator<Item = I>) -> Vec<Result<O, TaskError>> {
        let inputs = inputs.into_iter();
        let mut outcomes = Vec::with_capacity(inputs.size_hint().0);
        for (index, outcome) in self.unordered(inputs, Duration::MAX) {
            if index >= outcomes.len() {
                outcomes.resize_with(index + 1, || None);
            }
            outcomes[index] = Some(outcome);
        }
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|outcome| outcome.expect("each input has one"))
            .collect()
    }

    /// Runs one task per input and yields the outcomes as they come, each with its input's index.
    ///
    /// Per worker 256 tasks are ahead of what was taken from the iterator, or four orders if they are
    /// larger, or with a queue limit that many and one per worker in all: a slow reader slows the
    /// inputs down. Dropping it cancels the tasks that have not started.
    pub fn map_unordered<T>(&self, inputs: T) -> Unordered<'_, I, O, T::IntoIter>
    where
        T: IntoIterator<Item = I>,
    {
        self.unordered(inputs.into_iter(), LOT_TIME)
    }

    fn unordered<T: Iterator<Item = I>>(
        &self,
        inputs: T,
        patience: Duration,
    ) -> Unordered<'_, I, O, T> {
        let (tx, rx) = crossbeam_channel::unbounded();
        let mut unordered = Unordered {
            pool: self,
            inputs: inputs.fuse(),
            patience,
            next: 0,
            under_way: 0,
            lots: BTreeMap::new(),
            tx,
            rx,
            arrived: Arrived::default(),
        };
        unordered.top_up();
        unordered
    }

    /// Queues one task; blocks while the queue is at its limit.
    pub fn submit(&self, input: I) -> Task<O> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::Handle(tx);
        let task = match encode(&input) {
            Ok(records) => self.shared.enqueue(records, reply),
            Err(error) => self.shared.refuse(error, reply),
        };
        Task::new(Arc::clone(&self.shared), task, rx)
    }

    /// Queues one task unless the queue is at its limit.
    ///
    /// # Errors
    /// The input, when there is no room for it.
    pub fn try_submit(&self, input: I) -> Result<Task<O>, I> {
        let (tx, rx) = oneshot::channel();
        let reply = Reply::Handle(tx);
        let task = match encode(&input) {
            Ok(records) => self.shared.try_enqueue(records, reply),
            Err(error) => Some(self.shared.refuse(error, reply)),
        };
        match task {
            Some(task) => Ok(Task::new(Arc::clone(&self.shared), task, rx)),
            None => Err(input),
        }
    }

    /// Queues one task, waiting without blocking the thread while the queue is at its limit.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has queued nothing, and the input is gone.
    pub async fn submit_async(&self, mut input: I) -> Task<O> {
        loop {
            input = match self.try_submit(input) {
                Ok(task) => return task,
                Err(input) => input,
            };
            if let Some(room) = self.shared.room() {
                // An error would mean that the pool is gone, which `self` rules out.
                let _ = room.await;
            }
        }
    }
}

fn encode(input: &impl Serialize) -> Result<Records, TaskError> {
    let mut records = Records::default();
    records.push(input)?;
    Ok(records)
}

/// Outcomes as they come; see [`ProcessPool::map_unordered`].
#[must_use = "what has not started is cancelled when it is dropped"]
pub struct Unordered<'pool, I, O, T: Iterator<Item = I>> {
    pool: &'pool ProcessPool<I, O>,
    inputs: std::iter::Fuse<T>,
    /// Inputs that take longer than this to come do not wait for others.
    patience: Duration,
    /// The index of the next input.
    next: usize,
    /// How many tasks have no outcome yet that was yielded.
    under_way: usize,
    /// What was queued together and is not all answered, by the index of its first input.
    lots: BTreeMap<usize, Lot>,
    tx: Sender<Piece>,
    rx: Receiver<Piece>,
    arrived: Arrived,
}

/// Tasks that were queued together.
struct Lot {
    first_task: u64,
    tasks: usize,
    unanswered: usize,
}

/// Results that have come and were not yielded.
#[derive(Default)]
struct Arrived {
    index: usize,
    count: usize,
    results: Vec<u8>,
    /// Where the next one starts.
    at: usize,
}

impl<I, O, T: Iterator<Item = I>> fmt::Debug for Unordered<'_, I, O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unordered")
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

impl<I, O, T> Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
    /// How many tasks may be under way, and how many inputs are queued together.
    fn limits(&self) -> (usize, usize) {
        let shared = &self.pool.shared;
        let workers = self.pool.workers().get();
        match shared.settings.queue_limit {
            Some(limit) => (limit.get().saturating_add(workers), 1),
            None => {
                let orders = ORDERS_AHEAD.saturating_mul(shared.largest_order());
                let ahead = orders.clamp(AHEAD_PER_WORKER, FARTHEST_AHEAD);
                (workers.saturating_mul(ahead), usize::MAX)
            }
        }
    }

    /// Queues inputs once half of those under way are done.
    fn top_up(&mut self) {
        let (ahead, together) = self.limits();
        if self.under_way > ahead / 2 {
            return;
        }
        while self.under_way < ahead {
            if !self.queue_lot(together.min(ahead - self.under_way)) {
                return;
            }
        }
    }

    /// Queues up to `limit` inputs; whether there may be more.
    fn queue_lot(&mut self, limit: usize) -> bool {
        let began = Instant::now();
        let first = self.next;
        let mut records = Records::default();
        let mut refused = None;
        let mut more = true;
        while records.len() < limit && records.size_bytes() < LOT_BYTES {
            let Some(input) = self.inputs.next() else {
                more = false;
                break;
            };
            self.next += 1;
            if let Err(error) = records.push(&input) {
                refused = Some(error);
                break;
            }
            if self.patience < Duration::MAX && began.elapsed() > self.patience {
                break;
            }
        }
        let shared = &self.pool.shared;
        let tasks = records.len();
        if tasks > 0 {
            let first_task = shared.enqueue(records, Reply::Iterator(self.tx.clone(), first));
            self.note(first, first_task, tasks);
        }
        if let Some(error) = refused {
            let index = self.next - 1;
            let reply = Reply::Iterator(self.tx.clone(), index);
            let task = self.pool.shared.refuse(error, reply);
            self.note(index, task, 1);
        }
        more
    }

    fn note(&mut self, first: usize, first_task: u64, tasks: usize) {
        let unanswered = tasks;
        self.under_way += tasks;
        self.lots.insert(
            first,
            Lot {
                first_task,
                tasks,
                unanswered,
            },
        );
    }

    /// Takes note that `count` inputs from `index` on were answered.
    fn settle(&mut self, index: usize, count: usize) {
        let (first, lot) = self
            .lots
            .range_mut(..=index)
            .next_back()
            .expect("only what was queued is answered");
        lot.unanswered -= count;
        if lot.unanswered == 0 {
            let first = *first;
            self.lots.remove(&first);
        }
    }

    /// The next result of those that have come.
    fn next_arrived(&mut self) -> Option<(usize, Result<O, TaskError>)> {
        let arrived = &mut self.arrived;
        arrived.count = arrived.count.checked_sub(1)?;
        let index = arrived.index;
        arrived.index += 1;
        let mut rest = &arrived.results[arrived.at..];
        let record = batch::take_record(&mut rest);
        arrived.at = arrived.results.len() - rest.len();
        let outcome = match record {
            Some((true, record)) => task::decode(&self.pool.shared, record),
            Some((false, record)) => Err(batch::failure(record)),
            None => Err(task::unanswered()),
        };
        Some((index, outcome))
    }
}

impl<I, O, T> Iterator for Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.next_arrived() {
                self.under_way -= 1;
                return Some(next);
            }
            self.top_up();
            if self.under_way == 0 {
                return None;
            }
            match self.rx.recv().expect("this iterator holds a sender itself") {
                Piece::Results {
                    index,
                    count,
                    results,
                } => {
                    self.settle(index, count);
                    let at = 0;
                    self.arrived = Arrived {
                        index,
                        count,
                        results,
                        at,
                    };
                }
                Piece::Failed(index, error) => {
                    self.settle(index, 1);
                    self.under_way -= 1;
                    return Some((index, Err(error)));
                }
            }
        }
    }
}

impl<I, O, T> FusedIterator for Unordered<'_, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
}

impl<I, O, T: Iterator<Item = I>> Drop for Unordered<'_, I, O, T> {
    fn drop(&mut self) {
        for lot in self.lots.values() {
            let tasks = lot.first_task..lot.first_task + lot.tasks as u64;
            self.pool.shared.cancel_queued(tasks);
        }
    }
}
