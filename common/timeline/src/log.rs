//! What threads note: each in a log of its own, so that none waits for another.

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

/// What happens: to a span, where it is about one.
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
    /// The thread hands a job in, or takes its result; the job's number stands for the span's.
    HandOver(&'static str),
    /// A queue of this name is so deep.
    Sample(Box<(String, f64)>),
}

/// What one thread has noted for one store.
pub(super) struct Log {
    pub(super) thread: u64,
    pub(super) name: Option<String>,
    pub(super) events: Vec<Event>,
    clock: CpuClock,
}

/// A thread's CPU clock, with the last look at it.
#[derive(Default)]
pub(super) struct CpuClock(Option<(Moment, Duration)>);

impl CpuClock {
    /// CPU time that the thread has used by `now`.
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

/// A number that no other thread has: they are numbered as they appear, whichever timeline sees them.
pub(super) fn new_thread() -> u64 {
    static THREADS: AtomicU64 = AtomicU64::new(0);
    THREADS.fetch_add(1, Ordering::Relaxed)
}

/// A thread's log for each store, by the store's number.
type Logs = Vec<(u64, Arc<Mutex<Log>>)>;

thread_local! {
    /// The calling thread's number, and its logs.
    static LOCAL: RefCell<(u64, Logs)> = RefCell::new((new_thread(), Logs::new()));
}

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Notes an event in the calling thread's log. The time is read while the log is locked: what is noted
    /// after a log was emptied is later than that.
    pub(super) fn note(&self, span: u64, what: impl FnOnce(&mut CpuClock, Moment) -> What) {
        self.with_log(|log| {
            let at = Moment::now();
            let what = what(&mut log.clock, at);
            log.events.push(Event { at, span, what });
        });
    }

    /// Runs `f` with the calling thread's log; not at all where the thread is about to be gone.
    ///
    /// No code of the program may run in it: it could record a span.
    pub(super) fn with_log(&self, f: impl FnOnce(&mut Log)) {
        let is_batch = LOCAL.try_with(|local| {
            let (thread, logs) = &mut *local.borrow_mut();
            let found = logs.iter().position(|(store, _)| *store == self.number);
            let index = found.unwrap_or_else(|| self.new_log(*thread, logs));
            let log = &mut *lock(&logs[index].1);
            f(log);
            log.events.len().is_multiple_of(BATCH)
        });
        if is_batch.unwrap_or(false) {
            self.grow(BATCH);
        }
    }

    fn new_log(&self, thread: u64, logs: &mut Logs) -> usize {
        // Only this list still holds a log whose store is gone.
        logs.retain(|(_, log)| Arc::strong_count(log) > 1);
        let log = Arc::new(Mutex::new(Log {
            thread,
            name: thread::current().name().map(String::from),
            events: Vec::new(),
            clock: CpuClock::default(),
        }));
        self.add_log(Arc::clone(&log));
        logs.push((self.number, log));
        logs.len() - 1
    }
}
