//! Room for tasks, given out in the order in which it was asked for.

use crate::wait::{OneShot, lock};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, Weak},
};

/// So many tasks may be somewhere at once.
#[derive(Debug)]
pub(crate) struct Room(Mutex<Places>);

#[derive(Debug)]
struct Places {
    limit: usize,
    taken: usize,
    /// Who waits for a place; those that gave up are gone.
    line: VecDeque<Weak<OneShot<Permit>>>,
}

/// A place, given back when it is dropped. That may wake a waiter, which is the caller's code.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Room>);

impl Room {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let (taken, line) = (0, VecDeque::new());
        Arc::new(Self(Mutex::new(Places { limit, taken, line })))
    }

    /// Takes a place, if there is one: then nothing waits for it.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Permit> {
        let mut places = lock(&self.0);
        let is_free = places.taken < places.limit;
        places.taken += usize::from(is_free);
        is_free.then(|| Permit(Arc::clone(self)))
    }

    /// Waits for a place; dropped before that, it leaves the line.
    pub(crate) async fn take(self: &Arc<Self>) -> Permit {
        if let Some(permit) = self.try_take() {
            return permit;
        }
        let granted = Arc::<OneShot<Permit>>::default();
        self.change(|places| {
            if places.line.len() == places.line.capacity() {
                places.line.retain(|waiting| waiting.strong_count() > 0);
            }
            places.line.push_back(Arc::downgrade(&granted));
        });
        (&*granted).await.expect("nobody else waits here")
    }

    pub(crate) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.change(|places| places.limit = limit);
    }

    /// Lets in who waits, as far as there is room now.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut Places)) {
        let mut places = lock(&self.0);
        change(&mut places);
        let mut granted = Vec::new();
        while places.taken < places.limit
            && let Some(next) = places.line.pop_front()
        {
            // One that gives up from now on gives its place back.
            if let Some(next) = next.upgrade() {
                places.taken += 1;
                granted.push(next);
            }
        }
        drop(places);
        for next in granted {
            next.put(Permit(Arc::clone(self)));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.change(|places| places.taken -= 1);
    }
}
