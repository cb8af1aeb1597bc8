//! Counts calls: how many have begun, and how many were under way at once.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// The count of a group of calls.
#[derive(Debug, Default)]
pub struct Gauge {
    begun: AtomicUsize,
    open: AtomicUsize,
    peak: AtomicUsize,
}

impl Gauge {
    /// Calls that have begun.
    pub fn begun(&self) -> usize {
        self.begun.load(SeqCst)
    }

    /// The most calls under way at once.
    pub fn peak(&self) -> usize {
        self.peak.load(SeqCst)
    }

    /// Counts a call until the returned guard is dropped.
    pub(crate) fn open(&self) -> Open<'_> {
        self.begun.fetch_add(1, SeqCst);
        let open = self.open.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(open, SeqCst);
        Open(self)
    }
}

/// A call under way; dropped with its future, however that ends.
#[derive(Debug)]
pub(crate) struct Open<'a>(&'a Gauge);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, SeqCst);
    }
}
