//! The outcomes of many inputs on their way to one reader.

use crate::{
    Event, ProcessPool, TaskError,
    queue::Outcome,
    state::Shared,
    sync::{Permit, Room, block_on},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::VecDeque,
    iter::FusedIterator,
    marker::PhantomData,
    num::NonZeroUsize,
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

/// The outcome of an input, with a part of its chunk's permit.
type Piece = (usize, u64, Outcome, Arc<Permit>);

/// How many chunks are on their way to a reader: many small ones, few large ones.
#[derive(Debug)]
struct Flow {
    room: Arc<Room>,
    /// The bytes of the largest answer.
    largest: AtomicUsize,
    workers: usize,
    chunk: usize,
}

impl Flow {
    fn note(&self, bytes: usize) {
        if self.largest.fetch_max(bytes, Ordering::SeqCst) < bytes {
            let tasks = WINDOW_BYTES / bytes;
            let tasks = tasks.clamp(LEAST_EACH * self.workers, MOST_EACH * self.workers);
            self.room
                .set_limit((tasks / self.chunk).max(2 * self.workers));
        }
    }
}

/// Feeds inputs to a pool in chunks.
struct Feeder<T> {
    inputs: T,
    /// Whether the caller asked for chunks of this size.
    is_asked: bool,
    function: u8,
    shared: Arc<Shared>,
    reader: Sender<Piece>,
    flow: Arc<Flow>,
    next: usize,
}

impl<I: Serialize, T: Iterator<Item = I>> Feeder<T> {
    /// Submits one chunk; whether there may be more inputs.
    fn feed(&mut self, permit: Permit) -> bool {
        let (mut jobs, mut bytes, mut more) = (VecDeque::new(), 0, true);
        let permit = Arc::new(permit);
        for _ in 0..self.flow.chunk {
            let Some(input) = self.inputs.next() else {
                more = false;
                break;
            };
            let (reader, flow) = (self.reader.clone(), Arc::clone(&self.flow));
            let (index, permit) = (self.next, Arc::clone(&permit));
            self.next += 1;
            let reply = move |task, outcome: Outcome| {
                flow.note(outcome.as_ref().map_or(0, |answer| answer.bytes.len()));
                // Without a reader it is not missed.
                let _ = reader.send((index, task, outcome, permit));
            };
            let (_, job) = self.shared.job(self.function, &input, Box::new(reply));
            if let Some(mut job) = job {
                bytes += job.order.len();
                job.reader = Arc::as_ptr(&self.flow).addr();
                jobs.push_back(job);
            }
            if bytes >= CHUNK_BYTES && !self.is_asked {
                break;
            }
        }
        if let Some(first) = jobs.front_mut() {
            first.permit = Some(block_on(self.shared.room.take()));
            self.shared.add(jobs);
        }
        more
    }
}

/// The outcomes of [`ProcessPool::map_unordered`], as they come.
#[derive(Debug)]
#[must_use = "the results come through this iterator"]
pub struct Unordered<O> {
    shared: Arc<Shared>,
    flow: Arc<Flow>,
    pieces: Receiver<Piece>,
    /// The thread of the inputs.
    feeding: Option<JoinHandle<()>>,
    outputs: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned> Iterator for Unordered<O> {
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Ok((index, task, outcome, permit)) = self.pieces.recv() {
            drop(permit);
            self.shared.settings.notify(Event::Received(task));
            let value = outcome.and_then(|answer| self.shared.decode(&answer));
            return Some((index, value));
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
        self.flow.room.open();
        let reader = Arc::as_ptr(&self.flow).addr();
        self.shared
            .change(|state| state.queue.cancel_all_of(reader));
    }
}

impl<I, O> ProcessPool<I, O>
where
    I: Serialize,
    O: DeserializeOwned,
{
    fn feeder<T: Iterator<Item = I>>(&self, inputs: T, list: bool) -> (Feeder<T>, Unordered<O>) {
        let shared = Arc::clone(self.shared());
        let workers = shared.settings.workers;
        let asked = shared.settings.chunk.map(NonZeroUsize::get);
        let chosen = match inputs.size_hint() {
            (least, Some(most)) if list && least == most => most.div_ceil(CHUNKS_EACH * workers),
            _ => 1,
        };
        let flow = Arc::new(Flow {
            room: Room::new(LEAST_EACH * workers),
            largest: AtomicUsize::new(0),
            workers,
            chunk: asked.unwrap_or(chosen).max(1),
        });
        let (tx, pieces) = mpsc::channel();
        let feeder = Feeder {
            inputs,
            is_asked: asked.is_some(),
            function: self.function,
            shared: Arc::clone(&shared),
            reader: tx,
            flow: Arc::clone(&flow),
            next: 0,
        };
        let outcomes = Unordered {
            shared,
            flow,
            pieces,
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
        let mut outcomes = Vec::with_capacity(feeder.inputs.size_hint().0);
        let mut feeder = Some(feeder);
        loop {
            while let Some(feeding) = &mut feeder
                && let Some(permit) = reader.flow.room.try_take()
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
        let is_read = |flow: &Flow| flow.largest.load(Ordering::SeqCst) != UNREAD;
        let feed = move || {
            loop {
                let permit = block_on(feeder.flow.room.take());
                if !is_read(&feeder.flow) || !feeder.feed(permit) {
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
