//! Room in the queue, given out in the order in which it was asked for.

use crate::oneshot::OneShot;
use std::{collections::BTreeMap, sync::Arc};

/// How many tasks may wait, and who waits to add one.
#[derive(Debug)]
pub(crate) struct Room {
    /// `None` is no limit.
    free: Option<usize>,
    waiting: BTreeMap<u64, Arc<OneShot<()>>>,
    next_ticket: u64,
}

/// A place in line.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    pub(crate) granted: Arc<OneShot<()>>,
}

impl Room {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            free: limit,
            waiting: BTreeMap::new(),
            next_ticket: 0,
        }
    }

    /// Takes a place if there is one and nothing waits for it.
    pub(crate) fn try_take(&mut self) -> bool {
        match &mut self.free {
            None => true,
            Some(free) if *free > 0 && self.waiting.is_empty() => {
                *free -= 1;
                true
            }
            Some(_) => false,
        }
    }

    /// Gets in line.
    pub(crate) fn wait(&mut self) -> Ticket {
        let number = self.next_ticket;
        self.next_ticket += 1;
        let granted = Arc::<OneShot<()>>::default();
        self.waiting.insert(number, Arc::clone(&granted));
        Ticket { number, granted }
    }

    /// Leaves the line; `false` when the place was granted already.
    pub(crate) fn leave(&mut self, ticket: &Ticket) -> bool {
        self.waiting.remove(&ticket.number).is_some()
    }

    /// Gives a place back; returns whom to wake, once no lock is held.
    pub(crate) fn give_back(&mut self) -> Option<Arc<OneShot<()>>> {
        let free = self.free.as_mut()?;
        match self.waiting.pop_first() {
            Some((_, next)) => Some(next),
            None => {
                *free += 1;
                None
            }
        }
    }

    /// Lets everybody in: what they add is refused elsewhere.
    pub(crate) fn open(&mut self) -> Vec<Arc<OneShot<()>>> {
        self.free = None;
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}
