//! The races and their repairs as small programs, for trials and for every order of their steps.
//!
//! `turn` stands before each step, and in the window of a race that is `between`. A repair has no
//! window: it is a single step, and `inside` is what it does in its critical section.

use interleave::{Race, Turn};
use lab_12_race_conditions::{
    Accounts, audit_lock_by_lock, audit_under_both_locks, increment_in_one_step,
    increment_losing_updates, transfer_lock_by_lock, transfer_under_both_locks,
    withdraw_after_a_check, withdraw_in_one_section,
};
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// What an account holds at first.
const BALANCE: i64 = 100;
/// What each of two threads wants from it: there is enough for one.
const PAYMENT: i64 = 80;
/// What is moved between two accounts.
const MOVED: i64 = 10;
/// The steps of one increment: load, store.
pub(crate) const STEPS: usize = 2;

/// Threads that each add one so many times.
pub(crate) fn counter(threads: usize, increments: usize, repaired: bool) -> Race<AtomicI64> {
    let add = move |counter: &AtomicI64, turn: Turn<'_>| {
        if repaired {
            turn("makes it");
            increment_in_one_step(counter);
        } else {
            turn("loads");
            increment_losing_updates(counter, || turn("stores"));
        }
    };
    Race {
        threads,
        share: || AtomicI64::new(0),
        run: Box::new(move |counter, _, turn| (0..increments).for_each(|_| add(counter, turn))),
        value: |counter, _| counter.load(Relaxed),
        result: |counter| counter.load(Relaxed),
        expected: (threads * increments) as i64,
    }
}

/// Two withdrawals from an account with money for one.
pub(crate) fn withdrawals(repaired: bool, inside: fn()) -> Race<Mutex<i64>> {
    let withdraw = move |account: &Mutex<i64>, _, turn: Turn<'_>| {
        if repaired {
            turn("checks and leaves");
            withdraw_in_one_section(account, PAYMENT, inside);
        } else {
            turn("finds");
            withdraw_after_a_check(account, PAYMENT, || turn("leaves"));
        }
    };
    Race {
        threads: 2,
        share: || Mutex::new(BALANCE),
        run: Box::new(withdraw),
        value: |account, _| *account.lock().unwrap(),
        result: |account| *account.lock().unwrap(),
        expected: BALANCE - PAYMENT,
    }
}

/// An audit beside a transfer between two accounts; the result is the total that it saw.
pub(crate) fn audit(repaired: bool, inside: fn()) -> Race<(Accounts, AtomicI64)> {
    let run = move |(accounts, seen): &(Accounts, AtomicI64), thread, turn: Turn<'_>| match (
        thread, repaired,
    ) {
        (0, false) => {
            turn("sets the first to");
            transfer_lock_by_lock(accounts, MOVED, || turn("sets the second to"));
        }
        (0, true) => {
            turn("moves money and sets the first to");
            transfer_under_both_locks(accounts, MOVED, inside);
        }
        (_, false) => {
            turn("reads the first as");
            let total = audit_lock_by_lock(accounts, || turn("reads the second as"));
            seen.store(total, Relaxed);
        }
        (_, true) => {
            turn("reads both, the first as");
            seen.store(audit_under_both_locks(accounts, inside), Relaxed);
        }
    };
    Race {
        threads: 2,
        share: || ([BALANCE, BALANCE].map(Mutex::new), AtomicI64::new(0)),
        run: Box::new(run),
        value: |(accounts, _), step| {
            let second = usize::from(step.contains("second"));
            *accounts[second].lock().unwrap()
        },
        result: |(_, seen)| seen.load(Relaxed),
        expected: 2 * BALANCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use interleave::{Schedule, explore, failing};

    /// Whether, in this order of loads and stores, a store falls between another thread's load and store.
    fn has_a_store_in_a_window(schedule: &Schedule) -> bool {
        let (mut loaded_at, mut stores) = (vec![None; schedule.threads()], 0);
        schedule.turns().iter().any(|&thread| {
            let Some(at_load) = loaded_at[thread].take() else {
                loaded_at[thread] = Some(stores);
                return false;
            };
            stores += 1;
            at_load + 1 != stores
        })
    }

    #[test]
    fn updates_are_lost_exactly_where_a_store_falls_into_a_window() {
        for (threads, increments) in [(1, 2), (2, 1), (2, 2), (3, 1)] {
            for played in explore(&counter(threads, increments, false)) {
                let has_one = has_a_store_in_a_window(&played.schedule);
                assert_eq!(played.is_wrong(), has_one);
            }
        }
    }

    #[test]
    fn the_first_failing_audit_comes_with_its_steps() {
        let audit = explore(&audit(false, || ()));
        let failing = failing(&audit).next().expect("two of six fail");
        let steps: Vec<String> = failing.steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            steps,
            [
                "A sets the first to 90",
                "B reads the first as 90",
                "B reads the second as 100",
                "A sets the second to 110"
            ]
        );
        assert_eq!(failing.result, Some(190));
    }
}
