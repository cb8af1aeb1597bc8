//! What a race is made of.

use std::num::NonZeroUsize;

/// How many threads race, and how often each of them adds one.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Threads on one counter.
    pub threads: NonZeroUsize,
    /// Increments that each thread makes.
    pub increments: u64,
}

impl Race {
    /// The count that all increments together should give.
    pub fn expected(self) -> u64 {
        self.threads.get() as u64 * self.increments
    }

    /// The same increments, all made by one thread.
    pub fn on_one_thread(self) -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            increments: self.expected(),
        }
    }
}
