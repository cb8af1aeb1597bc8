//! A lock that says who asks for it, and where in the source, before it blocks.

use crate::registry::{Place, Registry};
use std::{
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A `Mutex` that keeps the books before it blocks.
#[derive(Debug)]
pub struct WatchedMutex<T> {
    name: &'static str,
    registry: Arc<Registry>,
    mutex: Mutex<T>,
}

/// A [`WatchedMutex`] in somebody's hands.
pub struct WatchedGuard<'a, T> {
    name: &'static str,
    registry: &'a Registry,
    guard: MutexGuard<'a, T>,
}

impl<T> WatchedMutex<T> {
    /// A lock called `name`, which no other lock of the registry is.
    pub fn new(registry: &Arc<Registry>, name: &'static str, value: T) -> Self {
        let (registry, mutex) = (Arc::clone(registry), Mutex::new(value));
        Self {
            name,
            registry,
            mutex,
        }
    }

    /// Locks; the books name the line of the caller.
    #[track_caller]
    pub fn lock(&self) -> WatchedGuard<'_, T> {
        let place = Place::from(Location::caller());
        self.registry.wait(self.name, place);
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        self.registry.hold(self.name);
        WatchedGuard {
            name: self.name,
            registry: &self.registry,
            guard,
        }
    }
}

impl<T> Drop for WatchedGuard<'_, T> {
    fn drop(&mut self) {
        // Before the lock itself is let go: the books never name two holders.
        self.registry.release(self.name);
    }
}

impl<T> Deref for WatchedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for WatchedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}
