//! The standard library's primitives, with a stop after each access: there the check lets others in.

use crate::stage::Stage;
use std::{
    cell::Cell,
    collections::BTreeSet,
    ops::{Deref, DerefMut},
    panic::{Location, resume_unwind},
    sync::{LockResult, OnceLock, PoisonError, TryLockError, TryLockResult, atomic::Ordering},
};

thread_local! {
    /// The lane of the calling thread.
    static LANE: Cell<usize> = const { Cell::new(0) };
}

/// Starts a thread for each lane in `work`, and waits for all of them.
pub(crate) fn on_lanes(lanes: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let start = |lane| {
            let work = &work;
            scope.spawn(move || {
                LANE.set(lane);
                work(lane);
            })
        };
        let started: Vec<_> = (0..lanes).map(start).collect();
        // Otherwise the scope's panic would stand for the thread's own.
        let mut panics = started.into_iter().filter_map(|thread| thread.join().err());
        if let Some(panic) = panics.next() {
            resume_unwind(panic);
        }
    });
}

/// The lane of the calling thread.
pub(crate) fn lane() -> usize {
    LANE.get()
}

/// Which thread has which lock, and waits for which, when none goes on.
pub(crate) fn locks(stage: &Stage, lanes: usize) -> String {
    let of_lane = |lane| {
        let notes = stage.notes(lane);
        let count = |word: &str, lock: &str| {
            notes
                .iter()
                .filter(|note| **note == format!("{word} {lock}"))
                .count()
        };
        let names: BTreeSet<&str> = notes
            .iter()
            .filter_map(|note| note.split(' ').next_back())
            .collect();
        let has = names
            .iter()
            .filter(|name| count("has", name) > count("frees", name))
            .copied();
        let has = has.collect::<Vec<_>>().join(" and ");
        let waits = notes.last().filter(|note| note.starts_with("waits"));
        waits.map(|waits| format!("{} has {has} and {waits}", stage.name(lane)))
    };
    (0..lanes)
        .filter_map(of_lane)
        .collect::<Vec<_>>()
        .join(", ")
}

/// `std::sync::atomic::AtomicU64`, with a stop after each load.
pub struct AtomicU64 {
    value: std::sync::atomic::AtomicU64,
    loaded: OnceLock<&'static Location<'static>>,
    stage: Stage,
}

impl AtomicU64 {
    pub(crate) fn new(value: u64, stage: &Stage) -> Self {
        Self {
            value: value.into(),
            loaded: OnceLock::new(),
            stage: stage.clone(),
        }
    }

    pub(crate) fn peek(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// The place in the text where it was first loaded.
    pub(crate) fn loaded(&self) -> Option<&'static Location<'static>> {
        self.loaded.get().copied()
    }

    /// Reads the value.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> u64 {
        let _ = self.loaded.set(Location::caller());
        let seen = self.value.load(order);
        self.stage.note(lane(), format!("loads {seen}"));
        if order == Ordering::SeqCst {
            self.stage.note(lane(), "SeqCst");
        }
        self.stage.hold(lane());
        seen
    }

    /// Writes a value.
    pub fn store(&self, value: u64, order: Ordering) {
        self.value.store(value, order);
        self.stage.note(lane(), format!("stores {value}"));
    }

    /// Adds, and returns what was there before.
    pub fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        self.stage.note(lane(), format!("adds {value}"));
        self.value.fetch_add(value, order)
    }

    /// Writes `new` where the value is still `current`.
    ///
    /// # Errors
    /// It is another: that one.
    pub fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let done = self.value.compare_exchange(current, new, success, failure);
        let note = if done.is_ok() {
            format!("stores {new}")
        } else {
            "stores nothing".into()
        };
        self.stage.note(lane(), note);
        done
    }
}

impl AtomicU64 {
    /// As [`compare_exchange`](Self::compare_exchange).
    ///
    /// # Errors
    /// It is another: that one.
    pub fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }

    /// Makes of the value what `change` says, in one step.
    ///
    /// # Errors
    /// `change` says nothing: the value as it was.
    pub fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut change: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let mut seen = self.load(fetch);
        while let Some(new) = change(seen) {
            match self.compare_exchange(seen, new, set, fetch) {
                Err(found) => seen = found,
                done => return done,
            }
        }
        Err(seen)
    }
}

/// `std::sync::Mutex`, with a stop after each lock.
pub struct Mutex<T> {
    value: std::sync::Mutex<T>,
    name: &'static str,
    stage: Stage,
}

impl<T> Mutex<T> {
    pub(crate) fn new(name: &'static str, value: T, stage: &Stage) -> Self {
        Self {
            value: value.into(),
            name,
            stage: stage.clone(),
        }
    }

    pub(crate) fn peek(&self) -> T
    where
        T: Copy,
    {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.value.try_lock().is_ok()
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// A thread has panicked with it.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.stage.note(lane(), format!("waits for {}", self.name));
        let held = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        self.stage.note(lane(), format!("has {}", self.name));
        self.stage.hold(lane());
        Ok(MutexGuard { lock: self, held })
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// It is not.
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let held = self.value.try_lock().ok();
        let note = if held.is_some() { "has" } else { "gets no" };
        self.stage.note(lane(), format!("{note} {}", self.name));
        let held = held.ok_or(TryLockError::WouldBlock)?;
        Ok(MutexGuard { lock: self, held })
    }
}

/// What a [`Mutex`] protects, until it is dropped.
pub struct MutexGuard<'a, T> {
    lock: &'a Mutex<T>,
    held: std::sync::MutexGuard<'a, T>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.held
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.held
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.lock
            .stage
            .note(lane(), format!("frees {}", self.lock.name));
    }
}
