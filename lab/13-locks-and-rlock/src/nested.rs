//! What reentrancy is for: a method that holds the lock calls another that takes it.
//!
//! A batch of deposits is to be one unit: no other teller may come in between. So `deposit_all`
//! holds the lock throughout, and the `deposit` that it calls takes the lock as well. With a plain
//! lock that is the self-deadlock of [`deadlock`](crate::deadlock).

use crate::on_threads;
use parking_lot::ReentrantMutex;
use std::{cell::RefCell, num::NonZeroUsize, sync::Mutex};

/// A deposit in the account's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The teller, from 0.
    pub teller: usize,
    /// The number of the batch among the teller's.
    pub batch: usize,
}

/// How many deposits make a batch.
pub const BATCH: usize = 3;

/// An account whose lock its holder may take again.
#[derive(Default)]
struct ReentrantAccount {
    log: ReentrantMutex<RefCell<Vec<Deposit>>>,
}

impl ReentrantAccount {
    fn deposit(&self, deposit: Deposit) {
        // Within `deposit_all` this is the second time: the owner is let in.
        self.log.lock().borrow_mut().push(deposit);
    }

    fn deposit_all(&self, deposit: Deposit) {
        let _held = self.log.lock();
        for _ in 0..BATCH {
            self.deposit(deposit);
        }
    }
}

/// An account with a plain lock; what both methods need is a function that takes no lock.
#[derive(Default)]
struct SplitAccount {
    log: Mutex<Vec<Deposit>>,
}

const NEVER_POISONED: &str = "a deposit does not panic";

impl SplitAccount {
    fn deposit_all(&self, deposit: Deposit) {
        let mut held = self.log.lock().expect(NEVER_POISONED);
        for _ in 0..BATCH {
            push(&mut held, deposit);
        }
    }
}

/// The part under the lock: whoever can show the log has the lock, and the compiler sees to it.
fn push(log: &mut Vec<Deposit>, deposit: Deposit) {
    log.push(deposit);
}

/// Lets each teller make `batches` of deposits through a lock that is taken again by its holder.
pub fn deposit_reentrant(tellers: NonZeroUsize, batches: usize) -> Vec<Deposit> {
    let account = ReentrantAccount::default();
    on_threads(tellers, |teller| {
        make_batches(batches, |batch| {
            account.deposit_all(Deposit { teller, batch });
        });
    });
    account.log.into_inner().into_inner()
}

/// The same with a plain lock, taken once, and an inner function that takes none.
pub fn deposit_split(tellers: NonZeroUsize, batches: usize) -> Vec<Deposit> {
    let account = SplitAccount::default();
    on_threads(tellers, |teller| {
        make_batches(batches, |batch| {
            account.deposit_all(Deposit { teller, batch });
        });
    });
    account.log.into_inner().expect(NEVER_POISONED)
}

#[tracing::instrument(name = "deposit", skip_all)]
fn make_batches(batches: usize, deposit_all: impl Fn(usize)) {
    (0..batches).for_each(deposit_all);
}

/// How many batches another teller came into.
pub fn torn_batches(log: &[Deposit]) -> usize {
    let whole = |batch: &&[Deposit]| {
        batch.len() == BATCH && batch.iter().all(|deposit| *deposit == batch[0])
    };
    let batches = log.chunks(BATCH);
    batches.len() - log.chunks(BATCH).filter(whole).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn both_ways_keep_every_batch_whole_and_lose_none() {
        for tellers in 1..=8 {
            let tellers = NonZeroUsize::new(tellers).expect("counted from one");
            for batches in [0, 1, 500] {
                for deposit in [deposit_reentrant, deposit_split] {
                    let log = deposit(tellers, batches);
                    assert_eq!(torn_batches(&log), 0);
                    let mut made = BTreeMap::<_, usize>::new();
                    for deposit in &log {
                        *made.entry((deposit.teller, deposit.batch)).or_default() += 1;
                    }
                    assert_eq!(made.len(), tellers.get() * batches);
                    assert!(made.values().all(|&times| times == BATCH));
                }
            }
        }
    }

    #[test]
    fn a_batch_that_somebody_came_into_is_torn() {
        let deposit = |teller| Deposit { teller, batch: 0 };
        let log = [0, 0, 1, 1, 1, 0].map(deposit);
        assert_eq!(torn_batches(&log), 2);
        assert_eq!(torn_batches(&[0, 0, 0, 1, 1, 1].map(deposit)), 0);
        assert_eq!(torn_batches(&[0, 0].map(deposit)), 1);
    }
}
