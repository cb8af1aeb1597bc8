//! A run of tasks whose outcomes come as they are done.

use super::{
    ProcessPool, TaskError,
    batch::{self, Records},
    reply::{Address, Piece, Reply},
    task,
};
use crossbeam::channel::Receiver;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fmt,
    iter::FusedIterator,
    time::{Duration, Instant},
};

/// How many tasks an [`Unordered`] is ahead of its reader, per worker; more where
/// orders are larger.
const AHEAD_PER_WORKER: usize = 256;

/// How many tasks it is ahead at most, per worker.
const FARTHEST_AHEAD: usize = 1 << 16;

/// How many orders of the present size it is ahead, per worker.
const ORDERS_AHEAD: usize = 4;

/// How many bytes of inputs are queued together at most.
const LOT_BYTES: usize = 1 << 20;

/// Inputs that take longer than this to come do not wait for others.
const LOT_TIME: Duration = Duration::from_millis(1);

/// Outcomes as they come; see [`ProcessPool::map_unordered`].
#[must_use = "what has not started is cancelled when it is dropped"]
pub struct Unordered<'pool, I, O, T: Iterator<Item = I>> {
    pool: &'pool ProcessPool<I, O>,
    inputs: std::iter::Fuse<T>,
    /// The index of the next input.
    next: usize,
    /// How many tasks have no outcome yet that was yielded.
    under_way: usize,
    /// What was queued together and is not all answered, by the index of its first input.
    lots: BTreeMap<usize, Lot>,
    address: Address,
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

impl<'pool, I, O, T> Unordered<'pool, I, O, T>
where
    I: Serialize,
    O: DeserializeOwned,
    T: Iterator<Item = I>,
{
    pub(super) fn new(pool: &'pool ProcessPool<I, O>, inputs: T) -> Self {
        let (tx, rx) = crossbeam::channel::unbounded();
        let mut unordered = Self {
            pool,
            inputs: inputs.fuse(),
            next: 0,
            under_way: 0,
            lots: BTreeMap::new(),
            address: Address::new(tx),
            rx,
            arrived: Arrived::default(),
        };
        unordered.top_up();
        unordered
    }

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
            let looks = records.len() < 8 || records.len().is_multiple_of(64);
            if looks && began.elapsed() > LOT_TIME {
                break;
            }
        }
        let shared = &self.pool.shared;
        let tasks = records.len();
        if tasks > 0 {
            let first_task = shared.enqueue(records, Reply::Iterator(self.address.clone(), first));
            self.note(first, first_task, tasks);
        }
        if let Some(error) = refused {
            let index = self.next - 1;
            let reply = Reply::Iterator(self.address.clone(), index);
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
        let task = lot.first_task + (index - first) as u64;
        self.pool.shared.note_received(task..task + count as u64);
        if lot.unanswered == 0 {
            let first = *first;
            self.lots.remove(&first);
        }
    }

    /// Waits for what comes next and takes note of it; the caller counts what it yields.
    fn receive(&mut self) -> Piece {
        let piece = self.rx.recv().expect("this iterator holds a sender itself");
        match &piece {
            Piece::Results { index, count, .. } => self.settle(*index, *count),
            Piece::Failed(index, _) => self.settle(*index, 1),
        }
        piece
    }

    /// All outcomes in the order of the inputs; what came together is decoded together.
    pub(super) fn in_order(mut self) -> Vec<Result<O, TaskError>> {
        let mut outcomes = Vec::with_capacity(self.inputs.size_hint().0);
        let mut answered = 0;
        loop {
            self.top_up();
            if self.under_way == 0 {
                break;
            }
            // Each of these is replaced; taking an `Option` off each would touch all of them once more.
            outcomes.resize_with(self.next, || Err(TaskError::Cancelled));
            match self.receive() {
                Piece::Results {
                    index,
                    count,
                    results,
                } => {
                    self.under_way -= count;
                    answered += count;
                    let mut rest = &results[..];
                    for outcome in &mut outcomes[index..index + count] {
                        *outcome = decode(self.pool, batch::take_record(&mut rest));
                    }
                }
                Piece::Failed(index, error) => {
                    self.under_way -= 1;
                    answered += 1;
                    outcomes[index] = Err(error);
                }
            }
        }
        assert_eq!(answered, outcomes.len(), "each input has one outcome");
        outcomes
    }

    /// The next result of those that have come; it counts as yielded even where decoding it panics.
    fn next_arrived(&mut self) -> Option<(usize, Result<O, TaskError>)> {
        let arrived = &mut self.arrived;
        arrived.count = arrived.count.checked_sub(1)?;
        let index = arrived.index;
        arrived.index += 1;
        let mut rest = &arrived.results[arrived.at..];
        let record = batch::take_record(&mut rest);
        arrived.at = arrived.results.len() - rest.len();
        self.under_way -= 1;
        Some((index, decode(self.pool, record)))
    }
}

fn decode<I, O: DeserializeOwned>(
    pool: &ProcessPool<I, O>,
    record: Option<(bool, &[u8])>,
) -> Result<O, TaskError> {
    match record {
        Some((true, record)) => task::decode(&pool.shared, record),
        Some((false, record)) => Err(batch::failure(record)),
        None => Err(task::unanswered()),
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
                return Some(next);
            }
            self.top_up();
            if self.under_way == 0 {
                return None;
            }
            match self.receive() {
                Piece::Results {
                    index,
                    count,
                    results,
                } => {
                    let at = 0;
                    self.arrived = Arrived {
                        index,
                        count,
                        results,
                        at,
                    };
                }
                Piece::Failed(index, error) => {
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
        self.address.give_up();
        for lot in self.lots.values() {
            let tasks = lot.first_task..lot.first_task + lot.tasks as u64;
            self.pool.shared.cancel_queued(tasks);
        }
    }
}
