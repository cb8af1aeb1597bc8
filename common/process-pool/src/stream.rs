//! The outcomes of many inputs on their way to one reader.

use crate::{
    Event, ProcessPool, TaskError,
    state::{Outcome, Output, Reply, Shared},
    sync::{Permit, Room, block_on, lock},
    task,
    wire::Order,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::VecDeque,
    io,
    iter::FusedIterator,
    num::NonZeroUsize,
    panic,
    sync::{
        Arc, Mutex,
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

/// The outcomes of some neighbouring inputs, or of one.
#[derive(Debug)]
struct Piece {
    index: usize,
    task: u64,
    outcome: Outcome,
    _permit: Arc<Permit>,
}

impl Piece {
    /// All outcomes in it, each with its input's index.
    fn decode<O: DeserializeOwned>(self, shared: &Shared) -> Vec<(usize, Result<O, TaskError>)> {
        let received = |at| shared.settings.notify(Event::Received(self.task + at));
        let decode = |output: Output| {
            let answers = output.answers().zip(0..).map(|(answer, at)| {
                received(at);
                (self.index + at as usize, shared.decode(&answer))
            });
            answers.collect()
        };
        self.outcome.map_or_else(
            |error| {
                received(0);
                vec![(self.index, Err(error))]
            },
            decode,
        )
    }
}

/// How many chunks are on their way to a reader: many small ones, few large ones.
#[derive(Debug)]
pub(crate) struct Flow {
    room: Arc<Room>,
    /// How many tasks were answered, and the bytes of all of these; nothing once nobody reads.
    seen: Mutex<Option<(usize, usize)>>,
    workers: usize,
    chunk: usize,
}

impl Flow {
    /// What the queue knows its reader by.
    fn reader(self: &Arc<Self>) -> Option<usize> {
        Some(Arc::as_ptr(self).addr())
    }

    fn note(&self, tasks: usize, bytes: usize) {
        let mut seen = lock(&self.seen);
        let Some((all_tasks, all_bytes)) = seen.as_mut() else {
            return;
        };
        *all_tasks += tasks;
        *all_bytes += bytes;
        let tasks = WINDOW_BYTES / (*all_bytes / *all_tasks).max(1);
        let tasks = tasks.clamp(LEAST_EACH * self.workers, MOST_EACH * self.workers);
        self.room
            .set_limit((tasks / self.chunk).max(2 * self.workers));
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
        let (chunk, permit) = (self.flow.chunk, Arc::new(permit));
        let (mut orders, mut tasks) = (Vec::new(), 0);
        let (mut refused, mut more) = (None, true);
        while (tasks as usize) < chunk && (self.is_asked || orders.len() < CHUNK_BYTES) {
            let Some(input) = self.inputs.next() else {
                more = false;
                break;
            };
            let is_recorded = self.shared.settings.hook.is_some();
            let appended = Order::append(&mut orders, self.function, is_recorded, &input);
            if let Err(reason) = appended {
                refused = Some(reason);
                break;
            }
            tasks += 1;
        }
        if tasks > 0 {
            let reply = (self.reply(tasks as usize, &permit), self.flow.reader());
            let place = block_on(self.shared.gates.queue.take());
            self.shared.add((tasks, orders), reply, Some(place), false);
        }
        if let Some(reason) = refused {
            let task = self.shared.refuse();
            self.reply(1, &permit)(0, task, Err(task::not_encoded(reason)));
        }
        more
    }

    /// Where the outcomes of the next inputs go.
    fn reply(&mut self, tasks: usize, permit: &Arc<Permit>) -> Reply {
        let (reader, flow) = (self.reader.clone(), Arc::clone(&self.flow));
        let (index, permit) = (self.next, Arc::clone(permit));
        self.next += tasks;
        Arc::new(move |place, task, outcome| {
            if let Ok(output) = &outcome {
                flow.note(output.tasks as usize, output.bytes.len());
            }
            let (index, _permit) = (index + place, Arc::clone(&permit));
            // Without a reader it is not missed.
            let _ = reader.send(Piece {
                index,
                task,
                outcome,
                _permit,
            });
        })
    }
}

/// The outcomes of [`ProcessPool::map_unordered`], as they come.
#[derive(Debug)]
#[must_use = "the results come through this iterator"]
pub struct Unordered<O> {
    reader: Reader,
    /// What has arrived and was not taken.
    arrived: VecDeque<(usize, Result<O, TaskError>)>,
    /// The thread of the inputs.
    feeding: Option<io::Result<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Reader {
    shared: Arc<Shared>,
    flow: Arc<Flow>,
    pieces: Receiver<Piece>,
}

impl<O: DeserializeOwned> Iterator for Unordered<O> {
    type Item = (usize, Result<O, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.arrived.is_empty() {
            let Ok(piece) = self.reader.pieces.recv() else {
                // No outcome comes any more: the thread of the inputs is over, or about to be.
                let feeding = self.feeding.take()?;
                let feeding = feeding.expect("the system starts the thread of the inputs");
                if let Err(payload) = feeding.join() {
                    panic::resume_unwind(payload);
                }
                return None;
            };
            self.arrived = piece.decode(&self.reader.shared).into();
        }
        self.arrived.pop_front()
    }
}

impl<O: DeserializeOwned> FusedIterator for Unordered<O> {}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.flow.seen).take();
        self.flow.room.open();
        let reader = self.flow.reader();
        self.shared.change(|state| state.cancel_all_of(reader));
    }
}

impl<I, O> ProcessPool<I, O>
where
    I: Serialize,
    O: DeserializeOwned,
{
    fn feeder<T: Iterator<Item = I>>(&self, inputs: T, list: bool) -> (Feeder<T>, Reader) {
        let shared = Arc::clone(self.shared());
        let workers = shared.settings.workers.get();
        let asked = shared.settings.chunk.map(NonZeroUsize::get);
        let chosen = match inputs.size_hint() {
            (least, Some(most)) if list && least == most => most.div_ceil(CHUNKS_EACH * workers),
            _ => 1,
        };
        let flow = Arc::new(Flow {
            room: Room::new(LEAST_EACH * workers),
            seen: Mutex::new(Some((0, 0))),
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
        let reader = Reader {
            shared,
            flow,
            pieces,
        };
        (feeder, reader)
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
        let (feeder, reader) = self.feeder(inputs.into_iter(), true);
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
            let Ok(piece) = reader.pieces.recv() else {
                return outcomes;
            };
            for (index, outcome) in piece.decode(self.shared()) {
                outcomes[index] = outcome;
            }
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
        let (mut feeder, reader) = self.feeder(inputs.into_iter(), false);
        let feed = move || {
            loop {
                let permit = block_on(feeder.flow.room.take());
                if lock(&feeder.flow.seen).is_none() || !feeder.feed(permit) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("pool inputs".into());
        Unordered {
            reader,
            arrived: VecDeque::new(),
            feeding: Some(thread.spawn(feed)),
        }
    }
}
