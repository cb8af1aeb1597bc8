//! A thread that panics with the lock in its hand: half a change, and whether the next is warned.

use std::{
    sync::{Mutex, PoisonError},
    thread::{self, Builder},
};

/// The name of the thread that panics, on purpose.
pub const CARELESS: &str = "careless";

/// What the accounts hold together, before and after a whole transfer.
pub const TOTAL: u64 = 100;

/// The most that the savings may hold.
const SAVINGS_LIMIT: u64 = 50;

#[derive(Clone, Copy)]
struct Accounts {
    checking: u64,
    savings: u64,
}

impl Accounts {
    const FIRST: Self = Self {
        checking: 60,
        savings: TOTAL - 60,
    };

    fn total(self) -> u64 {
        self.checking + self.savings
    }
}

/// What the next thread found, and what it made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// Whether `lock` warned the next thread that its holder had panicked.
    pub warned: bool,
    /// What the accounts held together when the next thread came.
    pub total_found: u64,
    /// What they hold together now.
    pub total_left: u64,
    /// Whether `lock` still returns an error.
    pub still_poisoned: bool,
}

#[tracing::instrument(name = "transfer", skip_all)]
fn transfer(accounts: &mut Accounts, amount: u64) {
    accounts.checking -= amount;
    // BUG (on purpose): the check comes when half of the change is made.
    assert!(
        accounts.savings + amount <= SAVINGS_LIMIT,
        "the savings may not pass {SAVINGS_LIMIT}"
    );
    accounts.savings += amount;
}

/// Lets a thread panic in mid-change under a `Mutex`; the next is warned, and repairs.
pub fn repair_what_a_panic_left() -> Aftermath {
    let shared = Mutex::new(Accounts::FIRST);
    let warned = panics(|| transfer(&mut shared.lock().expect("the first to lock"), 30))
        && shared.is_poisoned();
    // The three answers to a poisoned lock: pass the panic on (`expect`), take the data as it is
    // (`into_inner`), or repair what the lock protects and say so, as here.
    let mut accounts = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let total_found = accounts.total();
    accounts.checking = TOTAL - accounts.savings;
    let total_left = accounts.total();
    drop(accounts);
    shared.clear_poison();
    Aftermath {
        warned,
        total_found,
        total_left,
        still_poisoned: shared.is_poisoned(),
    }
}

/// The same under a lock that knows no poison: the next thread goes on with what it finds.
pub fn go_on_unaware() -> Aftermath {
    let shared = parking_lot::Mutex::new(Accounts::FIRST);
    panics(|| transfer(&mut shared.lock(), 30));
    // BUG (on purpose): nothing here could fail, so nothing here is checked.
    let accounts = *shared.lock();
    Aftermath {
        warned: false,
        total_found: accounts.total(),
        total_left: accounts.total(),
        still_poisoned: false,
    }
}

/// Whether `work` panics, on the careless thread.
fn panics(work: impl FnOnce() + Send) -> bool {
    thread::scope(|scope| {
        let careless = Builder::new().name(CARELESS.into());
        let started = careless.spawn_scoped(scope, work);
        let ended = started.expect("the system starts a thread").join();
        ended.is_err()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_warned_finds_half_a_change_and_repairs_it() {
        let expected = Aftermath {
            warned: true,
            total_found: 70,
            total_left: 100,
            still_poisoned: false,
        };
        assert_eq!(repair_what_a_panic_left(), expected);
    }

    #[test]
    fn without_poison_half_a_change_stays() {
        let aftermath = go_on_unaware();
        assert!(!aftermath.warned);
        assert_eq!((aftermath.total_found, aftermath.total_left), (70, 70));
    }

    #[test]
    fn a_transfer_within_the_limit_keeps_the_total() {
        let mut accounts = Accounts::FIRST;
        assert!(!panics(|| transfer(&mut accounts, 10)));
        assert_eq!((accounts.checking, accounts.savings), (50, 50));
    }
}
