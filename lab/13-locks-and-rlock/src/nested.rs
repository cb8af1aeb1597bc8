//! What reentrancy is for: a method that holds the lock calls another that takes it.
//!
//! A batch of deposits is one unit: no other teller may come in between. So `deposit_all` holds the
//! lock throughout, and the `deposit` that it calls takes the lock as well. With a plain lock that
//! is the self-deadlock of [`deadlock`](crate::deadlock). Without a reentrant lock, let the inner method
//! take `&mut` of the data instead: whoever can show it has the lock.
//!
//! A reentrant lock gives its holder shared access only, since it may be held twice; to change what
//! it protects takes a `Cell` or a `RefCell` inside:
//!
//! ```compile_fail,E0594
//! let counter = parking_lot::ReentrantMutex::new(0);
//! *counter.lock() += 1;
//! ```

use crate::on_threads;
use parking_lot::ReentrantMutex;
use std::{cell::Cell, num::NonZeroUsize};

/// The deposits of a batch.
const BATCH: [i64; 3] = [10, 20, 30];

/// A balance whose lock its holder may take again.
#[derive(Default)]
struct Reentrant(ReentrantMutex<Cell<i64>>);

impl Reentrant {
    fn deposit(&self, amount: i64) {
        // Within `deposit_all` this is the second time: the owner is let in.
        self.0.lock().update(|balance| balance + amount);
    }

    fn deposit_all(&self) -> i64 {
        let held = self.0.lock();
        let before = held.get();
        BATCH.iter().for_each(|amount| self.deposit(*amount));
        held.get() - before
    }
}

/// Lets tellers make batches; returns how many of them no other teller came into.
pub fn count_whole_batches(tellers: NonZeroUsize, batches: usize) -> usize {
    let account = Reentrant::default();
    let is_whole = |rise: &i64| *rise == BATCH.iter().sum::<i64>();
    let whole = on_threads(tellers, |_| {
        let rises = (0..batches).map(|_| account.deposit_all());
        rises.filter(is_whole).count()
    });
    whole.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_stays_whole() {
        for tellers in (1..=8).filter_map(NonZeroUsize::new) {
            assert_eq!(count_whole_batches(tellers, 500), 500 * tellers.get());
        }
    }
}
