//! Three races and their repairs: every access is safe, the whole is not.
//!
//! Each is written once, over the traits of [`Shared`] and [`Locked`] numbers. [`trials`] runs it on
//! real threads, [`stage`] in an order that is recorded or prescribed, [`model`] in all orders.
//! `between` is what happens inside the window that the race leaves open.

pub mod bank;
pub mod model;
pub mod outcome;
pub mod program;
pub mod schedule;
mod shared;
pub mod stage;
mod threads;
pub mod trials;

pub use shared::{Locked, Shared};

/// Adds one in two steps: load, store.
pub fn increment_losing_updates(counter: &impl Shared, between: impl FnOnce()) {
    let seen = counter.load();
    between();
    // BUG (on purpose): whatever was stored since the load is overwritten.
    counter.store(seen + 1);
}

/// Adds one in one step, which leaves no window.
pub fn increment_in_one_step(counter: &impl Shared) {
    counter.add(1);
}

/// Pays `amount` if the account has it: first the check, then the act. Returns whether it paid.
pub fn withdraw_after_a_check(account: &impl Locked, amount: i64, between: impl FnOnce()) -> bool {
    let enough = account.locked("finds", |balance| *balance >= amount);
    between();
    if enough {
        // BUG (on purpose): the lock was let go since the check, which may be out of date.
        account.locked("leaves", |balance| *balance -= amount);
    }
    enough
}

/// Pays `amount` if the account has it, check and act under one hold of the lock.
pub fn withdraw_in_one_section(account: &impl Locked, amount: i64, between: impl FnOnce()) -> bool {
    account.locked("checks and leaves", |balance| {
        let enough = *balance >= amount;
        between();
        if enough {
            *balance -= amount;
        }
        enough
    })
}

/// Moves `amount` from the first account to the second, one lock after the other.
pub fn transfer_lock_by_lock(
    first: &impl Locked,
    second: &impl Locked,
    amount: i64,
    between: impl FnOnce(),
) {
    first.locked("sets the first to", |balance| *balance -= amount);
    // BUG (on purpose): here the amount is in neither account, and nobody is kept from looking.
    between();
    second.locked("sets the second to", |balance| *balance += amount);
}

/// Adds up both accounts, one lock after the other.
pub fn audit_lock_by_lock(
    first: &impl Locked,
    second: &impl Locked,
    between: impl FnOnce(),
) -> i64 {
    let one = first.locked("reads the first as", |balance| *balance);
    // BUG (on purpose): the two balances are not of the same moment.
    between();
    one + second.locked("reads the second as", |balance| *balance)
}

/// Moves `amount` with both locks held: what both protect together changes in one step.
pub fn transfer_under_both_locks(
    first: &impl Locked,
    second: &impl Locked,
    amount: i64,
    between: impl FnOnce(),
) {
    // Everybody takes the first lock first; in two orders, two threads could wait for each other.
    first.locked("sets the first to", |one| {
        *one -= amount;
        between();
        second.locked("sets the second to", |two| *two += amount);
    });
}

/// Adds up both accounts with both locks held.
pub fn audit_under_both_locks(
    first: &impl Locked,
    second: &impl Locked,
    between: impl FnOnce(),
) -> i64 {
    first.locked("reads the first as", |one| {
        between();
        *one + second.locked("reads the second as", |two| *two)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
    };

    #[test]
    fn an_update_inside_the_window_is_lost_and_one_step_has_no_window() {
        let counter = AtomicI64::new(3);
        increment_losing_updates(&counter, || counter.store(100, Relaxed));
        assert_eq!(counter.into_inner(), 4);
        let counter = AtomicI64::new(3);
        increment_in_one_step(&counter);
        assert_eq!(counter.into_inner(), 4);
    }

    #[test]
    fn a_check_that_is_out_of_date_overdraws() {
        let account = Mutex::new(100);
        let paid = withdraw_after_a_check(&account, 80, || {
            assert!(withdraw_in_one_section(&account, 80, || ()));
        });
        assert!(paid);
        assert_eq!(account.into_inner().expect("nobody panicked"), -60);
    }

    #[test]
    fn alone_both_ways_pay_what_is_there_and_refuse_what_is_not() {
        let account = Mutex::new(100);
        assert!(withdraw_after_a_check(&account, 60, || ()));
        assert!(!withdraw_after_a_check(&account, 60, || ()));
        assert!(withdraw_in_one_section(&account, 40, || ()));
        assert!(!withdraw_in_one_section(&account, 1, || ()));
        assert_eq!(account.into_inner().expect("nobody panicked"), 0);
    }

    #[test]
    fn an_audit_in_mid_transfer_misses_the_amount_and_one_around_it_counts_it_twice() {
        let (first, second) = (Mutex::new(100), Mutex::new(100));
        transfer_lock_by_lock(&first, &second, 10, || {
            assert_eq!(audit_lock_by_lock(&first, &second, || ()), 190);
        });
        let total = audit_lock_by_lock(&first, &second, || {
            transfer_under_both_locks(&first, &second, 10, || ());
        });
        assert_eq!(total, 210);
        assert_eq!(audit_under_both_locks(&first, &second, || ()), 200);
    }

    #[test]
    fn under_both_locks_nobody_can_look_in_between() {
        let (first, second) = (Mutex::new(100), Mutex::new(100));
        transfer_under_both_locks(&first, &second, 10, || {
            assert!(first.try_lock().is_err(), "held all the way");
        });
        assert_eq!(*first.lock().expect("nobody panicked"), 90);
        assert_eq!(*second.lock().expect("nobody panicked"), 110);
    }
}
