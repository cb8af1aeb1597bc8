//! Three races and their repairs: every access is safe, the whole is not.
//!
//! `between` is what happens inside the window that a race leaves open, and inside the critical
//! section of its repair: nothing, some work, or other threads' steps.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// Adds one in two steps: load, store.
pub fn increment_losing_updates(counter: &AtomicI64, between: impl FnOnce()) {
    // Relaxed, here and below: no other data hangs on the number, so there is nothing to pair with;
    // joining the threads makes the total visible. A stronger ordering puts operations in order, it
    // does not make two of them one.
    let seen = counter.load(Relaxed);
    between(); // Here other threads can get in.
    // BUG (on purpose): whatever was stored since the load is overwritten.
    counter.store(seen + 1, Relaxed);
}

/// Adds one in one step, which leaves no window.
pub fn increment_in_one_step(counter: &AtomicI64) {
    counter.fetch_add(1, Relaxed);
}

/// Pays `amount` if the account has it: first the check, then the act. Returns whether it paid.
pub fn withdraw_after_a_check(account: &Mutex<i64>, amount: i64, between: impl FnOnce()) -> bool {
    let enough = *account.lock().unwrap() >= amount;
    between(); // Here other threads can get in.
    if enough {
        // BUG (on purpose): the lock was released since the check, which may be out of date.
        *account.lock().unwrap() -= amount;
    }
    enough
}

/// Pays `amount` if the account has it, check and act under one hold of the lock.
pub fn withdraw_in_one_section(account: &Mutex<i64>, amount: i64, between: impl FnOnce()) -> bool {
    let mut balance = account.lock().unwrap();
    let enough = *balance >= amount;
    between(); // Here other threads can get in.
    if enough {
        *balance -= amount;
    }
    enough
}

/// Two accounts, each with a lock of its own; what they hold together never changes.
pub type Accounts = [Mutex<i64>; 2];

/// Moves `amount` from the first account to the second, one lock after the other.
pub fn transfer_lock_by_lock([first, second]: &Accounts, amount: i64, between: impl FnOnce()) {
    *first.lock().unwrap() -= amount;
    // BUG (on purpose): here the amount is in neither account, and any thread may look.
    between(); // Here other threads can get in.
    *second.lock().unwrap() += amount;
}

/// Adds up both accounts, one lock after the other.
pub fn audit_lock_by_lock([first, second]: &Accounts, between: impl FnOnce()) -> i64 {
    let one = *first.lock().unwrap();
    // BUG (on purpose): the two balances are not of the same moment.
    between(); // Here other threads can get in.
    one + *second.lock().unwrap()
}

/// Moves `amount` with both locks held: what both protect together changes in one step.
pub fn transfer_under_both_locks([first, second]: &Accounts, amount: i64, between: impl FnOnce()) {
    // Every thread takes the first lock first; in two orders, two threads could wait for each other.
    let (mut one, mut two) = (first.lock().unwrap(), second.lock().unwrap());
    *one -= amount;
    between(); // Here other threads can get in.
    *two += amount;
}

/// Adds up both accounts with both locks held.
pub fn audit_under_both_locks([first, second]: &Accounts, between: impl FnOnce()) -> i64 {
    let (one, two) = (first.lock().unwrap(), second.lock().unwrap());
    between(); // Here other threads can get in.
    *one + *two
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(*account.lock().unwrap(), -60);
    }

    #[test]
    fn alone_both_ways_pay_what_is_there_and_refuse_what_is_not() {
        let account = Mutex::new(100);
        assert!(withdraw_after_a_check(&account, 60, || ()));
        assert!(!withdraw_after_a_check(&account, 60, || ()));
        assert!(withdraw_in_one_section(&account, 40, || ()));
        assert!(!withdraw_in_one_section(&account, 1, || ()));
        assert_eq!(*account.lock().unwrap(), 0);
    }

    #[test]
    fn an_audit_in_mid_transfer_misses_the_amount_and_one_around_it_counts_it_twice() {
        let accounts = [100, 100].map(Mutex::new);
        transfer_lock_by_lock(&accounts, 10, || {
            assert_eq!(audit_lock_by_lock(&accounts, || ()), 190);
        });
        let total = audit_lock_by_lock(&accounts, || {
            transfer_under_both_locks(&accounts, 10, || ());
        });
        assert_eq!(total, 210);
        assert_eq!(audit_under_both_locks(&accounts, || ()), 200);
    }

    #[test]
    fn under_both_locks_no_other_thread_can_look_in_between() {
        let accounts = [100, 100].map(Mutex::new);
        transfer_under_both_locks(&accounts, 10, || {
            assert!(accounts.iter().all(|account| account.try_lock().is_err()));
        });
        assert_eq!(
            accounts.map(|account| account.into_inner().unwrap()),
            [90, 110]
        );
    }
}
