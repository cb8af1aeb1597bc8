//! What the races share, told by what can be done to it, so that the same race runs on real
//! threads, on threads that follow a schedule, and under the model checker.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// A number that several threads read and write; each access is atomic by itself.
pub trait Shared {
    /// Reads it.
    fn load(&self) -> i64;

    /// Writes it.
    fn store(&self, value: i64);

    /// Reads, adds and writes in one step.
    fn add(&self, amount: i64);
}

/// A number behind a lock.
pub trait Locked {
    /// Runs `work` on the number with the lock held; `step` names that for those who watch.
    fn locked<R>(&self, step: &'static str, work: impl FnOnce(&mut i64) -> R) -> R;
}

// Relaxed, all three: no other data hangs on the number, so there is nothing to pair with; joining
// the threads makes the total visible. A stronger ordering puts operations in order, it does not
// make two of them one.
impl Shared for AtomicI64 {
    fn load(&self) -> i64 {
        self.load(Relaxed)
    }

    fn store(&self, value: i64) {
        self.store(value, Relaxed);
    }

    fn add(&self, amount: i64) {
        self.fetch_add(amount, Relaxed);
    }
}

impl Locked for Mutex<i64> {
    fn locked<R>(&self, _step: &'static str, work: impl FnOnce(&mut i64) -> R) -> R {
        work(&mut self.lock().expect("no holder of this lock panics"))
    }
}
