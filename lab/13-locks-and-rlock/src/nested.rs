//! What reentrancy is for: a method that holds the lock calls another that takes it.
//!
//! A batch of deposits is one unit: no other teller may come in between. So `deposit_all` holds the
//! lock throughout, and the `deposit` that it calls takes the lock as well. With a plain lock that
//! is the self-deadlock of [`deadlock`](crate::deadlock).
//!
//! A reentrant lock gives its holder shared access only, since it may be held twice; to change what
//! it protects takes a `Cell` or a `RefCell` inside:
//!
//! ```compile_fail,E0594
//! let counter = parking_lot::ReentrantMutex::new(0);
//! *counter.lock() += 1;
//! ```

use crate::on_threads;
use parking_lot::{Mutex, ReentrantMutex};
use std::{cell::Cell, num::NonZeroUsize};

/// The deposits of a batch.
pub const BATCH: [i64; 3] = [10, 20, 30];

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

/// A balance with a plain lock, which only the outer method takes.
#[derive(Default)]
struct Split(Mutex<i64>);

impl Split {
    fn deposit_all(&self) -> i64 {
        let mut held = self.0.lock();
        let before = *held;
        BATCH.iter().for_each(|amount| deposit(&mut held, *amount));
        *held - before
    }
}

/// The part under the lock. Whoever can show the balance has the lock: the compiler sees to it.
fn deposit(balance: &mut i64, amount: i64) {
    *balance += amount;
}

/// Lets tellers make batches through a reentrant lock; returns by how much the balance rose in each.
pub fn deposit_reentrant(tellers: NonZeroUsize, batches: usize) -> Vec<i64> {
    let account = Reentrant::default();
    make_batches(tellers, batches, || account.deposit_all())
}

/// The same with a plain lock, taken once, and an inner function that takes none.
pub fn deposit_split(tellers: NonZeroUsize, batches: usize) -> Vec<i64> {
    let account = Split::default();
    make_batches(tellers, batches, || account.deposit_all())
}

fn make_batches(tellers: NonZeroUsize, batches: usize, one: impl Fn() -> i64 + Sync) -> Vec<i64> {
    let all = |_| (0..batches).map(|_| one()).collect::<Vec<_>>();
    on_threads(tellers, all).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_keep_every_batch_whole() {
        for tellers in (1..=8).filter_map(NonZeroUsize::new) {
            for deposit in [deposit_reentrant, deposit_split] {
                let rises = deposit(tellers, 500);
                assert_eq!(rises, vec![60; 500 * tellers.get()]);
            }
        }
    }
}
