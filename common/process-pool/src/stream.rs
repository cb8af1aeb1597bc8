//! The outcomes of many inputs on their way to one reader.

use crate::{
    ProcessPool, TaskError,
    queue::{Job, Outcome},
    state::{NO_LIMIT, Shared},
};
use asyncband::{
    blocking::FutureExt,
    semaphore::{OwnedSemaphorePermit as Permit, Semaphore},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    iter::FusedIterator,
    marker::PhantomData,
    num::NonZeroUsize,
    ops::Range,
    panic,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

/// How many bytes of outcomes may be on their way, about.
const WINDOW_BYTES: usize = 16 << 20;
/// At least and at most so many tasks of each worker are on their way.
const LEAST_EACH: usize = 4;
const MOST_EACH: usize = 256;
/// A chunk that was not asked for ends before it has more bytes.
const CHUNK_BYTES: usize = 32 * 1024;
/// `map` makes so many chunks for each worker, as Python's `Pool.map` does.
const CHUNKS_EACH: usize = 4;
/// In place of a size: nobody reads any more.
const UNREAD: usize = usize::MAX;

/// Tasks in a row that were not taken, by how much more they are than the indices of their inputs, the
/// outcome, and a part of their chunk's permit.
type Piece = (Range<u64>, u64, Outcome, Arc<Permit>);

/// What inputs and outcomes share: how many chunks are on their way, many small ones, few large ones.
#[derive(Debug)]
struct Flow {
    shared: Arc<Shared>,
    /// Has a place for each chunk that may be on its way.
    room: Arc<Semaphore>,
    /// The bytes of the largest outcome.
    largest: AtomicUsize,
    chunk: usize,
}

impl Flow {
    /// How many chunks may be on their way, by the bytes of the largest outcome.
    fn places(shared: &Shared, chunk: usize, largest: usize) -> usize {
        let workers = shared.settings.workers;
        let tasks = WINDOW_BYTES.checked_div(largest).unwrap_or(0);
        let tasks = tasks.clamp(LEAST_EACH * workers, MOST_EACH * workers);
        (tasks / chunk).max(2 * workers)
    }

    fn note(&self, bytes: usize) {
        let largest = self.largest.fetch_max(bytes, Ordering::SeqCst);
        if largest < bytes {
            let places = |largest| Self::places(&self.shared, self.chunk, largest);
            let (before, now) = (places(largest), places(bytes));
            self.room.release(now.saturating_sub(before));
            self.room.reduce_permits(before.saturating_sub(now));
        }
    }
}

/// Feeds inputs to a pool in chunks.
struct Feeder<T> {
    inputs: T,
    function: u8,
    flow: Arc<Flow>,
    reader: Sender<Piece>,
    next: usize,
}

impl<I: Serialize, T: Iterator<Item = I>> Feeder<T> {
    /// Submits one chunk; whether there may be more inputs.
    fn feed(&mut self, permit: Permit) -> bool {
        let (shared, permit) = (Arc::clone(&self.flow.shared), Arc::new(permit));
        let limit = shared.settings.chunk.map_or(CHUNK_BYTES, |_| usize::MAX);
        let (mut orders, mut count) = (Vec::new(), 0);
        let (mut refused, mut more) = (None, true);
        while count < self.flow.chunk && orders.len() < limit && refused.is_none() {
            let Some(input) = self.inputs.next() else {
                more = false;
                break;
            };
            refused = shared.encode(&mut orders, self.function, &input).err();
            count += usize::from(refused.is_none());
        }
        if count > 0 {
            let mut job = self.job(count, orders, &permit);
            let room = Arc::clone(&shared.room);
            job.permit = Some(room.acquire_owned(1).block_on());
            shared.add(job, Ok(()));
        }
        if let Some(error) = refused {
            shared.add(self.job(1, Vec::new(), &permit), Err(error));
        }
        more
    }

    /// Makes a job of the next tasks.
    fn job(&mut self, count: usize, mut orders: Vec<u8>, permit: &Arc<Permit>) -> Job {
        let (reader, flow) = (self.reader.clone(), Arc::clone(&self.flow));
        let (id, permit) = (Arc::as_ptr(&flow).addr(), Arc::clone(permit));
        let tasks = flow.shared.number(&mut orders, count as u64);
        let offset = tasks.start - self.next as u64;
        self.next += count;
        let reply = move |tasks: Range<u64>, outcome: Outcome| {
            let bytes = outcome.as_ref().map_or(0, |answers| answers.bytes.len());
            flow.note(bytes / tasks.clone().count());
            // Without a reader it is not missed.
            let _ = reader.send((tasks, offset, outcome, Arc::clone(&permit)));
        };
        Job::new(tasks, orders, Arc::new(reply), id)
    }
}

/// The outcomes of [`ProcessPool::map_unordered`], as they come.
#[derive(Debug)]
#[must_use = "the results come through this iterator"]
pub struct Unordered<O> {
    flow: Arc<Flow>,
    pieces: Receiver<Piece>,
    /// What is being taken.
    piece: Option<Piece>,
    /// The thread of the inputs.
    feeding: Option<JoinHandle<()>>,
    outputs: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned> Iterator for Unordered<O> {
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((tasks, offset, outcome, _)) = &mut self.piece
                && let Some(task) = tasks.next()
            {
                let index = (task - *offset) as usize;
                let outcome = self.flow.shared.take(task, outcome);
                self.piece.take_if(|(tasks, ..)| tasks.is_empty());
                return Some((index, outcome));
            }
            match self.pieces.recv() {
                Ok(piece) => self.piece = Some(piece),
                Err(_) => break,
            }
        }
        // Nothing comes any more: the thread of the inputs is over, or about to be.
        if let Some(Err(payload)) = self.feeding.take().map(JoinHandle::join) {
            panic::resume_unwind(payload);
        }
        None
    }
}

impl<O: DeserializeOwned> FusedIterator for Unordered<O> {}

impl<O> Drop for Unordered<O> {
    fn drop(&mut self) {
        self.flow.largest.store(UNREAD, Ordering::SeqCst);
        self.flow.room.release(NO_LIMIT);
        let reader = Arc::as_ptr(&self.flow).addr();
        let shared = &self.flow.shared;
        shared.change(|state| state.queue.cancel_all_of(reader));
    }
}

impl<I, O> ProcessPool<I, O>
where
    I: Serialize,
    O: DeserializeOwned,
{
    fn feeder<T: Iterator<Item = I>>(&self, inputs: T, list: bool) -> (Feeder<T>, Unordered<O>) {
        let shared = Arc::clone(&self.owner.shared);
        let workers = shared.settings.workers;
        let chosen = match inputs.size_hint() {
            (least, Some(most)) if list && least == most => most.div_ceil(CHUNKS_EACH * workers),
            _ => 1,
        };
        let asked = shared.settings.chunk.map(NonZeroUsize::get);
        let chunk = asked.unwrap_or(chosen).max(1);
        let flow = Arc::new(Flow {
            room: Arc::new(Semaphore::new(Flow::places(&shared, chunk, 0))),
            largest: AtomicUsize::new(0),
            shared,
            chunk,
        });
        let (reader, pieces) = mpsc::channel();
        let feeder = Feeder {
            inputs,
            function: self.function,
            flow: Arc::clone(&flow),
            reader,
            next: 0,
        };
        let outcomes = Unordered {
            flow,
            pieces,
            piece: None,
            feeding: None,
            outputs: PhantomData,
        };
        (feeder, outcomes)
    }

    /// Runs one task per input and returns the outcomes in the order of the inputs.
    ///
    /// Inputs whose number is known, such as those of a `Vec` or a range, travel in chunks of a
    /// quarter of each worker's share, unless [`PoolBuilder::chunk`](crate::PoolBuilder::chunk)
    /// says otherwise. Takes inputs as it goes. Blocks until all tasks have ended.
    ///
    /// # Panics
    /// Where the inputs' iterator does, or a value's `Serialize` or `Deserialize`.
    pub fn map(&self, inputs: impl IntoIterator<Item = I>) -> Vec<Result<O, TaskError>> {
        let (feeder, mut reader) = self.feeder(inputs.into_iter(), true);
        let (mut outcomes, mut feeder) = (Vec::new(), Some(feeder));
        loop {
            let room = &reader.flow.room;
            while let Some(feeding) = &mut feeder
                && let Some(permit) = Arc::clone(room).try_acquire_owned(1)
            {
                let more = feeding.feed(permit);
                outcomes.resize_with(feeding.next, || Err(TaskError::Cancelled));
                if !more {
                    feeder = None;
                }
            }
            let Some((index, outcome)) = reader.next() else {
                return outcomes;
            };
            outcomes[index] = outcome;
        }
    }

    /// Runs one task per input and yields the outcomes as they come, each with its input's index.
    ///
    /// A thread of its own takes the inputs, so that a slow iterator delays no outcome, and inputs
    /// may depend on outcomes. It stays up to 256 tasks per worker ahead of the reader, fewer where
    /// values are large: about 16 MiB of outcomes wait. Dropping the iterator cancels the tasks that
    /// wait in the queue; the thread ends when its next input comes.
    ///
    /// # Panics
    /// Where the inputs' iterator panics, or the system refuses the thread.
    pub fn map_unordered<T>(&self, inputs: T) -> Unordered<O>
    where
        T: IntoIterator<Item = I>,
        T::IntoIter: Send + 'static,
    {
        let (mut feeder, mut outcomes) = self.feeder(inputs.into_iter(), false);
        let feed = move || {
            loop {
                let flow = &feeder.flow;
                let room = Arc::clone(&flow.room);
                let permit = room.acquire_owned(1).block_on();
                let is_read = flow.largest.load(Ordering::SeqCst) != UNREAD;
                if !is_read || !feeder.feed(permit) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("pool inputs".into());
        let started = thread.spawn(feed);
        outcomes.feeding = Some(started.expect("the system starts the thread of the inputs"));
        outcomes
    }
}
