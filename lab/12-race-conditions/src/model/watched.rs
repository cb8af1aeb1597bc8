//! Shared values of the checker's, each access to which is written down.

use crate::{Locked, Shared, stage::Step};
use shuttle::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::SeqCst},
};
use std::sync::{Mutex as Notebook, MutexGuard, PoisonError};

/// The accesses of one execution. No thread of the checker's can be interrupted while it writes.
pub(super) type Log = Notebook<Vec<Step>>;

/// A shared value as one thread of the checker's sees it, each access written down.
pub(super) struct Watched<'a, T> {
    pub(super) value: &'a T,
    pub(super) log: &'a Log,
    pub(super) thread: usize,
}

impl<T> Watched<'_, T> {
    /// Writes an access down and returns its place.
    fn note(&self, deed: &'static str, value: i64) -> usize {
        let mut log = open(self.log);
        log.push(Step {
            thread: self.thread,
            deed,
            value,
        });
        log.len() - 1
    }
}

// SeqCst: the checker knows no other ordering, whatever it is given.
impl Shared for Watched<'_, AtomicI64> {
    fn load(&self) -> i64 {
        let value = self.value.load(SeqCst);
        self.note("loads", value);
        value
    }

    fn store(&self, value: i64) {
        self.value.store(value, SeqCst);
        self.note("stores", value);
    }

    fn add(&self, amount: i64) {
        let before = self.value.fetch_add(amount, SeqCst);
        self.note("makes it", before + amount);
    }
}

impl Locked for Watched<'_, Mutex<i64>> {
    fn locked<R>(&self, step: &'static str, work: impl FnOnce(&mut i64) -> R) -> R {
        let mut guard = self.value.lock().expect("no holder of this lock panics");
        let place = self.note(step, *guard);
        let made = work(&mut guard);
        open(self.log)[place].value = *guard;
        made
    }
}

/// Opens a notebook, whatever became of the last who wrote in it.
pub(super) fn open<T>(notebook: &Notebook<T>) -> MutexGuard<'_, T> {
    notebook.lock().unwrap_or_else(PoisonError::into_inner)
}
