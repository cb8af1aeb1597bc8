//! The outcomes of many inputs on their way to one reader.

use crate::{
    ProcessPool, TaskError,
    job::{Outcome, Reply},
    oneshot::lock,
    shared::Shared,
    task, wire,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    any::Any,
    collections::VecDeque,
    fmt,
    iter::FusedIterator,
    marker::PhantomData,
    mem,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

/// How many bytes of inputs and outcomes may be on their way, about.
const WINDOW_BYTES: usize = 16 << 20;
/// At least and at most so many tasks of each worker are on their way.
const LEAST_EACH: usize = 4;
const MOST_EACH: usize = 256;
/// A chunk that nobody asked for ends before it has more bytes.
const CHUNK_BYTES: usize = 32 * 1024;
/// `map` makes so many chunks for each worker, as Python's `Pool.map` does.
const CHUNKS_EACH: usize = 4;

/// The outcomes of some neighbouring inputs, or of one.
#[derive(Debug)]
struct Piece {
    index: usize,
    number: u64,
    tasks: usize,
    outcome: Outcome,
}

/// Where outcomes wait for their reader.
#[derive(Debug)]
pub(crate) struct Stream {
    state: Mutex<State>,
    arrived: Condvar,
    /// There is room for more inputs, or they are wanted no more.
    taken: Condvar,
    workers: usize,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// Tasks that were submitted and not taken by the reader.
    under_way: usize,
    /// Tasks that were answered, and the bytes of all of these.
    answered: usize,
    bytes: usize,
    /// No more inputs come.
    is_fed: bool,
    /// Nobody reads any more.
    is_gone: bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Whether one more chunk may be on its way: many small tasks, few large ones.
    fn has_room(&self, workers: usize, chunk: usize) -> bool {
        let most = match self.bytes.checked_div(self.answered) {
            None => LEAST_EACH * workers,
            Some(each) => {
                let most = WINDOW_BYTES / each.max(1);
                most.clamp(LEAST_EACH * workers, MOST_EACH * workers)
            }
        };
        self.under_way < most.max(2 * workers * chunk)
    }
}

impl Stream {
    fn new(workers: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
            workers: workers.get(),
        })
    }

    pub(crate) fn put(&self, index: usize, number: u64, outcome: Outcome) {
        let mut state = lock(&self.state);
        let (tasks, bytes) = match &outcome {
            Ok(output) => (output.tasks as usize, output.message.len()),
            Err(_) => (1, 0),
        };
        state.answered += tasks;
        state.bytes += bytes;
        if !state.is_gone {
            state.pieces.push_back(Piece {
                index,
                number,
                tasks,
                outcome,
            });
        }
        drop(state);
        self.arrived.notify_one();
        // What outcomes weigh decides how many may be on their way.
        self.taken.notify_one();
    }

    /// Waits until more inputs may come; `false` when none is wanted.
    fn wait_for_room(&self, chunk: usize) -> bool {
        let state = lock(&self.state);
        let is_full = |state: &mut State| !state.is_gone && !state.has_room(self.workers, chunk);
        let state = self.taken.wait_while(state, is_full);
        !state.unwrap_or_else(PoisonError::into_inner).is_gone
    }

    /// Waits for what has arrived; nothing when nothing will.
    fn take_arrived(&self) -> VecDeque<Piece> {
        let state = lock(&self.state);
        let waits = |state: &mut State| {
            let more = state.under_way > 0 || !state.is_fed;
            state.pieces.is_empty() && more
        };
        let state = self.arrived.wait_while(state, waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        if state.pieces.is_empty()
            && let Some(payload) = state.panic.take()
        {
            drop(state);
            panic::resume_unwind(payload);
        }
        mem::take(&mut state.pieces)
    }

    fn note_taken(&self, tasks: usize) {
        lock(&self.state).under_way -= tasks;
        self.taken.notify_one();
    }
}

/// Feeds inputs to a pool in chunks.
struct Feeder<T> {
    inputs: T,
    chunk: usize,
    /// Whether the caller asked for chunks of this size.
    is_asked: bool,
    next: usize,
    shared: Arc<Shared>,
    stream: Arc<Stream>,
}

impl<I: Serialize, T: Iterator<Item = I>> Feeder<T> {
    /// Submits one chunk; whether there may be more inputs.
    fn feed(&mut self) -> bool {
        let mut records = Vec::new();
        let (first, mut tasks) = (self.next, 0);
        let mut refused = None;
        let mut more = true;
        while (tasks as usize) < self.chunk && (self.is_asked || records.len() < CHUNK_BYTES) {
            let Some(input) = self.inputs.next() else {
                more = false;
                break;
            };
            self.next += 1;
            let start = records.len();
            let encoded = wire::append(&mut records, 0, |bytes| wire::encode(&input, bytes));
            if let Err(reason) = encoded {
                records.truncate(start);
                refused = Some(reason);
                break;
            }
            tasks += 1;
        }
        if tasks == 1 {
            // The input itself, without the record's head.
            records.drain(..5);
        }
        if tasks > 0 {
            lock(&self.stream.state).under_way += tasks as usize;
            let reply = Reply::Stream(Arc::clone(&self.stream), first);
            self.shared.take_room();
            self.shared.add(tasks, records, reply);
        }
        if let Some(reason) = refused {
            lock(&self.stream.state).under_way += 1;
            self.shared.take_room();
            let number = self.shared.refuse();
            let error = task::not_encoded(reason);
            self.stream.put(self.next - 1, number, Err(error));
        }
        more
    }
}

/// The outcomes of [`ProcessPool::map_unordered`], as they come.
#[must_use = "the results come through this iterator"]
pub struct Unordered<O> {
    reader: Reader,
    /// Of the first piece that has arrived, how many outcomes are taken, and where the next one is.
    taken: (usize, usize),
    output: PhantomData<fn() -> O>,
}

struct Reader {
    shared: Arc<Shared>,
    stream: Arc<Stream>,
    arrived: VecDeque<Piece>,
}

impl<O> fmt::Debug for Unordered<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unordered").finish_non_exhaustive()
    }
}

impl<O: DeserializeOwned> Iterator for Unordered<O> {
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.arrived.is_empty() {
            self.reader.arrived = self.reader.stream.take_arrived();
        }
        let piece = self.reader.arrived.front_mut()?;
        let (offset, at) = self.taken;
        let index = piece.index + offset;
        self.reader.shared.received(piece.number + offset as u64);
        let (outcome, is_last) = match &piece.outcome {
            Ok(output) => {
                let mut rest = output.records().get(at..).unwrap_or_default();
                let before = rest.len();
                let record = wire::take(&mut rest).map(|(tag, record)| (tag, record.to_vec()));
                self.taken = (offset + 1, at + before - rest.len());
                (Ok(record), offset + 1 == piece.tasks)
            }
            Err(error) => (Err(error.clone()), true),
        };
        if is_last {
            self.reader.arrived.pop_front();
            self.taken = (0, 0);
        }
        // It counts as yielded even where decoding it panics.
        self.reader.stream.note_taken(1);
        let outcome = outcome.and_then(|record| {
            let record = record.as_ref().map(|(tag, record)| (*tag, &record[..]));
            task::decode(&self.reader.shared, record)
        });
        Some((index, outcome))
    }
}

impl<O: DeserializeOwned> FusedIterator for Unordered<O> {}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = lock(&self.stream.state);
        state.is_gone = true;
        let pieces = mem::take(&mut state.pieces);
        let is_over = state.is_fed && state.under_way == 0;
        drop(state);
        drop(pieces);
        self.stream.taken.notify_one();
        if !is_over {
            self.shared.cancel_stream(&self.stream);
        }
    }
}

impl<I, O> ProcessPool<I, O>
where
    I: Serialize,
    O: DeserializeOwned,
{
    fn feeder<T: Iterator<Item = I>>(&self, inputs: T, list: bool) -> (Feeder<T>, Reader) {
        let shared = Arc::clone(&self.shared);
        let stream = Stream::new(shared.settings.workers);
        let asked = shared.settings.chunk.map(NonZeroUsize::get);
        let chosen = match inputs.size_hint() {
            (least, Some(most)) if list && least == most => {
                most.div_ceil(CHUNKS_EACH * shared.settings.workers.get())
            }
            _ => 1,
        };
        let feeder = Feeder {
            inputs,
            chunk: asked.unwrap_or(chosen).max(1),
            is_asked: asked.is_some(),
            next: 0,
            shared: Arc::clone(&shared),
            stream: Arc::clone(&stream),
        };
        let arrived = VecDeque::new();
        let reader = Reader {
            shared,
            stream,
            arrived,
        };
        (feeder, reader)
    }

    /// Runs one task per input and returns the outcomes in the order of the inputs.
    ///
    /// Inputs whose number is known, such as those of a `Vec` or a range, travel in chunks of a
    /// quarter of each worker's share, unless [`PoolBuilder::chunk`](crate::PoolBuilder::chunk)
    /// says otherwise. Takes inputs as it goes. Blocks until all tasks have ended.
    pub fn map(&self, inputs: impl IntoIterator<Item = I>) -> Vec<Result<O, TaskError>> {
        let (mut feeder, reader) = self.feeder(inputs.into_iter(), true);
        let mut outcomes = Vec::with_capacity(feeder.inputs.size_hint().0);
        let mut more = true;
        loop {
            while more && lock(&reader.stream.state).has_room(reader.stream.workers, feeder.chunk) {
                more = feeder.feed();
            }
            outcomes.resize_with(feeder.next, || Err(TaskError::Cancelled));
            let mut state = lock(&reader.stream.state);
            state.is_fed = !more;
            if state.under_way == 0 {
                if more {
                    continue;
                }
                return outcomes;
            }
            drop(state);
            for piece in reader.stream.take_arrived() {
                let mut records = match &piece.outcome {
                    Ok(output) => output.records(),
                    Err(_) => &[],
                };
                for offset in 0..piece.tasks {
                    self.shared.received(piece.number + offset as u64);
                    outcomes[piece.index + offset] = match &piece.outcome {
                        Ok(_) => task::decode(&self.shared, wire::take(&mut records)),
                        Err(error) => Err(error.clone()),
                    };
                }
                reader.stream.note_taken(piece.tasks);
            }
        }
    }

    /// Runs one task per input and yields the outcomes as they come, each with its input's index.
    ///
    /// A thread of its own takes the inputs, so that a slow iterator delays no outcome, and inputs
    /// may depend on outcomes. It stays up to 256 tasks per worker ahead of the reader, fewer where
    /// values are large: about 16 MiB of outcomes wait. Dropping the iterator cancels the tasks that
    /// have not begun; the thread ends when its next input comes.
    ///
    /// # Panics
    /// Where the inputs' iterator panics.
    pub fn map_unordered<T>(&self, inputs: T) -> Unordered<O>
    where
        T: IntoIterator<Item = I>,
        T::IntoIter: Send + 'static,
    {
        let (mut feeder, reader) = self.feeder(inputs.into_iter(), false);
        let stream = Arc::clone(&reader.stream);
        let feed = move || {
            let fed = panic::catch_unwind(AssertUnwindSafe(|| {
                while feeder.stream.wait_for_room(feeder.chunk) && feeder.feed() {}
            }));
            let stream = Arc::clone(&feeder.stream);
            // The caller's iterator goes before its reader learns that it is over.
            let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(feeder)));
            let mut state = lock(&stream.state);
            state.is_fed = true;
            state.panic = fed.and(dropped).err();
            drop(state);
            stream.arrived.notify_one();
        };
        let feeding = thread::Builder::new()
            .name("pool inputs".into())
            .spawn(feed);
        if let Err(error) = feeding {
            let mut state = lock(&stream.state);
            state.is_fed = true;
            state.panic = Some(Box::new(format!(
                "cannot start the thread of the inputs: {error}"
            )));
        }
        Unordered {
            reader,
            taken: (0, 0),
            output: PhantomData,
        }
    }
}
