//! A thread that panics with the lock in its hand: half a change, and who is told.

use process_pool::panics;
use std::{
    sync::{Mutex, PoisonError},
    thread,
};

/// The name of the thread that panics, on purpose.
pub const CARELESS: &str = "careless";

/// Two accounts; what they hold together never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accounts {
    checking: u64,
    savings: u64,
}

impl Accounts {
    const FIRST: Self = Self {
        checking: 60,
        savings: 40,
    };

    fn total(self) -> u64 {
        self.checking + self.savings
    }
}

/// The most that the savings may hold.
const SAVINGS_LIMIT: u64 = 50;

/// What the next thread found, and what it made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// What the careless thread said when it panicked.
    pub panic: String,
    /// Whether `lock` told the next thread that its holder had panicked.
    pub told: bool,
    /// What the accounts held together before.
    pub total_before: u64,
    /// What they held together when the next thread came.
    pub total_found: u64,
    /// What they hold together now.
    pub total_after: u64,
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

/// Lets a thread panic in mid-change under a `Mutex`; the next is told, and repairs.
pub fn repair_what_a_panic_left() -> Aftermath {
    let shared = Mutex::new(Accounts::FIRST);
    let total_before = Accounts::FIRST.total();
    let panic = panic_of(|| transfer(&mut shared.lock().expect("the first to lock"), 30));
    let told = shared.is_poisoned();
    // The three answers to a poisoned lock: pass the panic on (`expect`), take the data as it is
    // (`into_inner`), or repair what the lock protects and say so, as here.
    let mut accounts = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let total_found = accounts.total();
    accounts.checking = total_before - accounts.savings;
    shared.clear_poison();
    drop(accounts);
    let still_poisoned = shared.is_poisoned();
    let accounts = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    Aftermath {
        panic,
        told,
        total_before,
        total_found,
        total_after: accounts.total(),
        still_poisoned,
    }
}

/// The same under a lock that knows no poison: the next thread goes on with what it finds.
pub fn go_on_unaware() -> Aftermath {
    let shared = parking_lot::Mutex::new(Accounts::FIRST);
    let panic = panic_of(|| transfer(&mut shared.lock(), 30));
    // BUG (on purpose): nothing here could fail, so nothing here is checked.
    let accounts = *shared.lock();
    Aftermath {
        panic,
        told: false,
        total_before: Accounts::FIRST.total(),
        total_found: accounts.total(),
        total_after: accounts.total(),
        still_poisoned: false,
    }
}

/// Runs `work` on the careless thread and returns what it says when it panics.
fn panic_of(work: impl FnOnce() + Send) -> String {
    thread::scope(|scope| {
        let careless = thread::Builder::new().name(CARELESS.into());
        let ended = careless.spawn_scoped(scope, work);
        match ended.expect("the system starts a thread").join() {
            Ok(()) => "it did not panic".into(),
            Err(panic) => panics::message(panic.as_ref()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_told_finds_half_a_change_and_repairs_it() {
        let aftermath = repair_what_a_panic_left();
        let expected = Aftermath {
            panic: "the savings may not pass 50".into(),
            told: true,
            total_before: 100,
            total_found: 70,
            total_after: 100,
            still_poisoned: false,
        };
        assert_eq!(aftermath, expected);
    }

    #[test]
    fn without_poison_half_a_change_stays() {
        let aftermath = go_on_unaware();
        assert!(!aftermath.told);
        assert_eq!((aftermath.total_found, aftermath.total_after), (70, 70));
    }

    #[test]
    fn a_transfer_within_the_limit_keeps_the_total() {
        let mut accounts = Accounts::FIRST;
        transfer(&mut accounts, 10);
        assert_eq!((accounts.checking, accounts.savings), (50, 50));
        assert_eq!(panic_of(|| ()), "it did not panic");
    }
}
