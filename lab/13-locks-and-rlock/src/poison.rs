//! A thread panics while it holds a lock: half of a change stays, and the next thread is warned.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

/// What the panic says that is meant.
pub const OVER_LIMIT: &str = "the savings are over their limit";

/// What is in checking and in savings; a transfer does not change the sum.
const FIRST: [u64; 2] = [60, 40];

/// What the two hold together.
pub const TOTAL: u64 = FIRST[0] + FIRST[1];

#[tracing::instrument(name = "transfer", skip_all)]
fn transfer([checking, savings]: &mut [u64; 2], amount: u64) {
    *checking -= amount;
    // BUG (on purpose): the check comes when half of the change is made.
    assert!(*savings + amount <= 50, "{OVER_LIMIT}");
    *savings += amount;
}

/// Lets a thread panic in mid-change under a `Mutex`; the next is warned, and repairs.
///
/// Returns whether it was warned, and what the accounts held together when it came and when it left.
pub fn repair_what_a_panic_left() -> (bool, [u64; 2]) {
    let accounts = Mutex::new(FIRST);
    let careless = || transfer(&mut accounts.lock().unwrap(), 30);
    let _panicked = thread::scope(|scope| scope.spawn(careless).join());
    let is_warned = accounts.is_poisoned();
    // Three answers to a poisoned lock: pass the panic on (`unwrap`), take the data as it is
    // (`into_inner`), or repair what the lock protects and say so, as here.
    let mut held = accounts.lock().unwrap_or_else(PoisonError::into_inner);
    let found = held.iter().sum();
    held[0] = TOTAL - held[1];
    let left = held.iter().sum();
    accounts.clear_poison();
    (is_warned, [found, left])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_warned_and_repairs() {
        assert_eq!(repair_what_a_panic_left(), (true, [70, 100]));
    }

    #[test]
    fn a_transfer_within_the_limit_keeps_the_total() {
        let mut accounts = FIRST;
        transfer(&mut accounts, 10);
        assert_eq!(accounts, [50, 50]);
    }
}
