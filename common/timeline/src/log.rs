//! What threads note down: each in a log of its own, so that none waits for another.

use crate::{Moment, fields::Fields, store::Store, thread_cpu};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::Metadata;

/// In less time than this nothing waits: it is not worth a look at the CPU clock, which costs as much as
/// the rest of recording a span.
pub(super) const TOO_SHORT_TO_WAIT: Duration = Duration::from_micros(10);

/// A thread reports so many events at a time to the store that bounds them.
const BATCH: usize = 128;

/// Threads are numbered as they appear, whichever timeline sees them.
static THREADS: AtomicU64 = AtomicU64::new(0);

/// What happens to a span.
pub(super) struct Event {
    pub(super) at: Moment,
    /// `tracing`'s number of the span, which is used again once the span is closed.
    pub(super) span: u64,
    pub(super) what: What,
}

pub(super) enum What {
    New(&'static Metadata<'static>, Option<Box<Fields>>),
    Record(Box<Fields>),
    /// With the CPU time that the thread had used.
    Enter(Option<Duration>),
    Exit {
        cpu: Option<Duration>,
        closes: bool,
    },
    Close,
}

/// What one thread has noted for one store.
pub(super) struct Log {
    pub(super) thread: u64,
    pub(super) name: Option<String>,
    pub(super) noted: Mutex<Noted>,
}

#[derive(Default)]
pub(super) struct Noted {
    pub(super) events: Vec<Event>,
    /// The level of a queue from then on.
    pub(super) samples: Vec<(String, Moment, f64)>,
}

impl Noted {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.samples.is_empty()
    }
}

/// The calling thread, and its log for each store.
struct Local {
    thread: u64,
    clock: CpuClock,
    logs: Vec<(u64, Arc<Log>)>,
}

/// A number that no other thread has.
pub(super) fn new_thread() -> u64 {
    THREADS.fetch_add(1, Ordering::Relaxed)
}

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::new(Local {
        thread: new_thread(),
        clock: CpuClock::default(),
        logs: Vec::new(),
    });
}

/// The calling thread's CPU clock, with the last look at it.
#[derive(Default)]
pub(super) struct CpuClock(Option<(Moment, Duration)>);

impl CpuClock {
    /// CPU time that this thread has used by `now`.
    ///
    /// Within a moment of the last look at its clock, which is a call into the system, the thread is taken
    /// to have run since; so a reading can be wrong by that moment.
    pub(super) fn read(&mut self, now: Moment) -> Option<Duration> {
        if let Some((at, cpu)) = self.0
            && now - at < TOO_SHORT_TO_WAIT
        {
            return Some(cpu + (now - at));
        }
        let cpu = thread_cpu()?;
        self.0 = Some((now, cpu));
        Some(cpu)
    }
}

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f` with the calling thread's log; not at all where the thread is about to be gone.
///
/// No code of the program may run in it: it could record a span.
pub(super) fn with_log<R>(
    store: &Store,
    f: impl FnOnce(&Log, &mut Noted, &mut CpuClock) -> R,
) -> Option<R> {
    let with = |local: &RefCell<Local>| {
        let local = &mut *local.borrow_mut();
        let (logs, clock) = (&mut local.logs, &mut local.clock);
        let has = |(number, _): &(u64, _)| *number == store.number;
        let index = logs.iter().position(has).unwrap_or_else(|| {
            // Only this list still holds a log whose store is gone.
            logs.retain(|(_, log)| Arc::strong_count(log) > 1);
            let log = Arc::new(Log {
                thread: local.thread,
                name: thread::current().name().map(String::from),
                noted: Mutex::default(),
            });
            store.add_log(Arc::clone(&log));
            logs.push((store.number, log));
            logs.len() - 1
        });
        let log = &logs[index].1;
        let mut noted = lock(&log.noted);
        let result = f(log, &mut noted, clock);
        let is_batch = (noted.events.len() + noted.samples.len()) % BATCH == BATCH - 1;
        drop(noted);
        if is_batch {
            store.grow(BATCH);
        }
        result
    };
    LOCAL.try_with(with).ok()
}
