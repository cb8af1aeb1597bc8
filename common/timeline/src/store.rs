//! Where closed spans are kept until somebody takes them, and how much of them.

use super::{
    Handover, LaneId, LaneKind, Moment, Recording, Span, Toll, layer::TOO_SHORT_TO_WAIT,
    live::Live, settled::Settled, tasks::Tasks, thin, thread_cpu,
};
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::Metadata;

/// Spans that a recording of a whole run holds in memory at most, of some 200 bytes each.
const MOST_SPANS: usize = 160_000;

/// A thread tells the store of so many spans at a time that it keeps.
const BATCH: usize = 128;

/// Threads are numbered as they appear, whichever timeline sees them; timelines too.
static THREADS: AtomicU64 = AtomicU64::new(0);
static STORES: AtomicU64 = AtomicU64::new(0);

/// What is kept where there are too many spans.
#[derive(Clone, Copy)]
pub(super) enum Keep {
    /// The whole run: short spans are joined to their neighbours.
    Whole,
    /// At least so many spans from the end of the run.
    Last(usize),
}

/// A closed span, the thread or process that it ran on, and the outermost span that it lies in.
pub(super) struct Kept {
    pub(super) lane: LaneId,
    pub(super) root: u64,
    pub(super) span: Closed,
}

/// A closed span: most say no more than the first, which is small and costs no allocation.
pub(super) enum Closed {
    Plain {
        about: &'static Metadata<'static>,
        start: Moment,
        end: Moment,
        busy: Duration,
        wait: Option<&'static str>,
        depth: u16,
    },
    Full(Box<Span>),
}

impl Closed {
    fn weight(&self) -> usize {
        match self {
            Self::Plain { .. } => 1,
            Self::Full(span) => thin::weight(span),
        }
    }

    pub(super) fn into_span(self) -> Span {
        match self {
            Self::Plain {
                about,
                start,
                end,
                busy,
                wait,
                depth,
            } => Span {
                wait: wait.map(Cow::Borrowed),
                depth,
                file: about.file().map(Cow::Borrowed),
                line: about.line(),
                ..Span::watched(about.name(), start, end, busy)
            },
            Self::Full(span) => *span,
        }
    }
}

/// What one thread has recorded for one store.
pub(super) struct Buffer {
    thread: LaneId,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
pub(super) struct Recorded {
    pub(super) spans: Vec<Kept>,
    pub(super) samples: Vec<(Cow<'static, str>, Moment, f64)>,
    pub(super) handed: Vec<Handover>,
    pub(super) toll: Toll,
    /// What was added since the store was told.
    untold: usize,
}

/// All that a timeline holds.
pub(super) struct Store {
    number: u64,
    keep: Keep,
    pub(super) finds_tasks: bool,
    pub(super) tasks: Tasks,
    pub(super) live: Live,
    names: Mutex<BTreeMap<LaneId, String>>,
    /// Every thread's buffer; a buffer outlives its thread until it has been settled.
    buffers: Mutex<Vec<Arc<Buffer>>>,
    settled: Mutex<Settled>,
    /// About how much all buffers and what is settled hold.
    held: AtomicUsize,
    /// With so many buffers, those of threads that have ended are settled.
    sweep_at: AtomicUsize,
}

/// The calling thread, for all stores.
pub(super) struct Thread {
    pub(super) id: LaneId,
    roots: u64,
    /// The last look at the CPU clock.
    cpu: Option<(Moment, Duration)>,
}

/// The calling thread, and its buffer for each store.
struct Local {
    thread: Thread,
    buffers: Vec<(u64, Arc<Buffer>)>,
}

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::new(Local {
        thread: Thread::new(),
        buffers: Vec::new(),
    });
}

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f` with the calling thread and its buffer; not at all where the thread is about to be gone.
pub(super) fn with_thread<R>(
    store: &Store,
    f: impl FnOnce(&mut Thread, &Buffer) -> R,
) -> Option<R> {
    LOCAL
        .try_with(|local| {
            let Local { thread, buffers } = &mut *local.borrow_mut();
            let has = |(number, _): &(u64, _)| *number == store.number;
            let index = buffers.iter().position(has).unwrap_or_else(|| {
                // Only this list still holds a buffer whose store is gone.
                buffers.retain(|(_, buffer)| Arc::strong_count(buffer) > 1);
                buffers.push((store.number, store.new_buffer(thread.id)));
                buffers.len() - 1
            });
            f(thread, &buffers[index].1)
        })
        .ok()
}

/// The lane of the calling thread.
pub(super) fn this_thread(store: &Store) -> Option<LaneId> {
    with_thread(store, |thread, _| thread.id)
}

impl Thread {
    fn new() -> Self {
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        Self {
            id: LaneId {
                kind: LaneKind::Thread,
                number,
            },
            roots: 0,
            cpu: None,
        }
    }

    /// A number that no other outermost span of this process has; never 0.
    pub(super) fn new_root(&mut self) -> u64 {
        self.roots += 1;
        (self.id.number << 40) | self.roots
    }

    /// CPU time that this thread has used by `now`.
    ///
    /// Within a moment of the last look at its clock, which is a call into the system, the thread is taken
    /// to have run since; so a reading can be wrong by that moment.
    pub(super) fn cpu_time(&mut self, now: Moment) -> Option<Duration> {
        if let Some((at, cpu)) = self.cpu
            && now - at < TOO_SHORT_TO_WAIT
        {
            return Some(cpu + (now - at));
        }
        let cpu = thread_cpu()?;
        self.cpu = Some((now, cpu));
        Some(cpu)
    }
}

impl Store {
    pub(super) fn new(keep: Keep, finds_tasks: bool) -> Self {
        Self {
            number: STORES.fetch_add(1, Ordering::Relaxed),
            keep,
            finds_tasks,
            tasks: Tasks::default(),
            live: Live::default(),
            names: Mutex::default(),
            buffers: Mutex::default(),
            settled: Mutex::default(),
            held: AtomicUsize::new(0),
            sweep_at: AtomicUsize::new(64),
        }
    }

    fn new_buffer(&self, thread: LaneId) -> Arc<Buffer> {
        let name = thread::current().name().map(String::from);
        self.name_lane(thread, name.unwrap_or_else(|| nameless(thread)));
        let buffer = Arc::new(Buffer {
            thread,
            recorded: Mutex::default(),
        });
        let mut buffers = lock(&self.buffers);
        buffers.push(Arc::clone(&buffer));
        let count = buffers.len();
        drop(buffers);
        if count > self.sweep_at.load(Ordering::Relaxed) {
            self.settle(|_| ());
        }
        buffer
    }

    /// Adds to the calling thread's buffer.
    pub(super) fn with_buffer(&self, f: impl FnOnce(&mut Recorded)) {
        with_thread(self, |_, buffer| self.add(buffer, 1, f));
    }

    fn add(&self, buffer: &Buffer, weight: usize, f: impl FnOnce(&mut Recorded)) {
        let mut recorded = lock(&buffer.recorded);
        f(&mut recorded);
        recorded.untold += weight;
        if recorded.untold < BATCH {
            return;
        }
        let told = std::mem::take(&mut recorded.untold);
        drop(recorded);
        if self.held.fetch_add(told, Ordering::Relaxed) + told > self.limit() {
            self.settle(|_| ());
        }
    }

    /// Keeps a closed span; `book` adds what recording it took.
    pub(super) fn push(&self, buffer: &Buffer, kept: Kept, book: impl FnOnce(&mut Toll)) {
        self.add(buffer, kept.span.weight(), |recorded| {
            recorded.spans.push(kept);
            book(&mut recorded.toll);
        });
    }

    /// Keeps a span that no span of this process is, on a lane of its own.
    pub(super) fn push_outside(&self, lane: LaneId, span: Span, spans: u64) {
        let kept = Kept {
            lane,
            root: 0,
            span: Closed::Full(Box::new(span)),
        };
        with_thread(self, |_, buffer| {
            self.push(buffer, kept, |toll| toll.spans += spans);
        });
    }

    /// What is held at most before some of it is left out.
    fn limit(&self) -> usize {
        match self.keep {
            Keep::Whole => MOST_SPANS,
            Keep::Last(spans) => 2 * spans.max(BATCH),
        }
    }

    /// Puts what all threads have recorded together, leaves out what is too much, and runs `f` on it.
    fn settle<R>(&self, f: impl FnOnce(&mut Settled) -> R) -> R {
        let mut settled = lock(&self.settled);
        let mut buffers = lock(&self.buffers);
        self.tasks.settle(|task| {
            for buffer in buffers.iter() {
                settled.add(std::mem::take(&mut *lock(&buffer.recorded)), task);
            }
        });
        // A buffer only this list still holds belongs to a thread that has ended.
        buffers.retain(|buffer| Arc::strong_count(buffer) > 1);
        self.sweep_at
            .store(2 * buffers.len() + 64, Ordering::Relaxed);
        settled.limit(self.keep, self.limit());
        let result = f(&mut settled);
        self.held.store(settled.weight(), Ordering::Relaxed);
        let lives = |lane: &LaneId| buffers.iter().any(|buffer| buffer.thread == *lane);
        lock(&self.names).retain(|lane, _| settled.has(*lane) || lives(lane));
        result
    }

    pub(super) fn take(&self) -> Recording {
        let name = |lane| lock(&self.names).get(&lane).cloned();
        self.settle(|settled| std::mem::take(settled).into_recording(name))
    }

    /// Says what a lane is called.
    pub(super) fn name_lane(&self, id: LaneId, name: impl Into<String>) {
        lock(&self.names).insert(id, name.into());
    }

    /// What a lane is called.
    pub(super) fn name_of(&self, id: LaneId) -> String {
        let name = lock(&self.names).get(&id).cloned();
        name.unwrap_or_else(|| nameless(id))
    }
}

pub(super) fn nameless(id: LaneId) -> String {
    let kind = match id.kind {
        LaneKind::Thread => "thread",
        LaneKind::Task => "task",
        LaneKind::Process => "process",
    };
    format!("{kind} {}", id.number)
}
