//! Requests that several workers share: each is handed out once.

use crate::protocol::Outcome;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use web::venue::Request;

/// Requests in the order of asking, and how far they have been handed out.
#[derive(Debug, Default)]
pub struct Batch {
    requests: Vec<Request>,
    next: AtomicUsize,
}

impl Batch {
    /// Requests of which none has been handed out.
    pub fn new(requests: Vec<Request>) -> Self {
        let next = AtomicUsize::new(0);
        Self { requests, next }
    }

    /// How many there are in all.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The next request and its place; `None` when all are handed out.
    pub fn take(&self) -> Option<(usize, &Request)> {
        // Relaxed: the counter hands out numbers and nothing else.
        let index = self.next.fetch_add(1, Relaxed);
        Some((index, self.requests.get(index)?))
    }
}

/// Outcomes in the order of asking.
pub(crate) fn in_order(mut numbered: Vec<(usize, Outcome)>) -> Vec<Outcome> {
    numbered.sort_by_key(|(index, _)| *index);
    numbered.into_iter().map(|(_, outcome)| outcome).collect()
}
