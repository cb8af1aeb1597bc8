//! The races and their repairs as small programs, whose steps can be put in any order.
//!
//! `turn` stands before each step, and in the window of a race that is `between`. A repair has no
//! window: it is a single step.

use interleave::{Program, Schedule};
use lab_12_race_conditions::{
    Accounts, audit_lock_by_lock, audit_under_both_locks, increment_in_one_step,
    increment_losing_updates, transfer_lock_by_lock, transfer_under_both_locks,
    trials::{BALANCE, MOVED, PAYMENT},
    withdraw_after_a_check, withdraw_in_one_section,
};
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// The steps of one increment: load, store.
pub(crate) const STEPS: usize = 2;

/// Threads that each add one so many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) threads: usize,
    pub(crate) increments: usize,
    /// Whether an increment is a single step.
    pub(crate) repaired: bool,
}

impl Counter {
    pub(crate) fn of(threads: usize, increments: usize) -> Self {
        Self {
            threads,
            increments,
            repaired: false,
        }
    }
}

impl Program for Counter {
    type Shared = AtomicI64;

    fn threads(&self) -> usize {
        self.threads
    }

    fn share(&self) -> AtomicI64 {
        AtomicI64::new(0)
    }

    fn run(&self, counter: &AtomicI64, _thread: usize, turn: &dyn Fn(&'static str)) {
        for _ in 0..self.increments {
            if self.repaired {
                turn("makes it");
                increment_in_one_step(counter);
            } else {
                turn("loads");
                increment_losing_updates(counter, || turn("stores"));
            }
        }
    }

    fn value(&self, counter: &AtomicI64, _step: &str) -> i64 {
        counter.load(Relaxed)
    }

    fn expected(&self) -> i64 {
        (self.threads * self.increments) as i64
    }
}

/// Whether, in this order of loads and stores, a store falls between another thread's load and store.
pub(crate) fn has_a_store_in_a_window(schedule: &Schedule) -> bool {
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

/// Two withdrawals from an account with money for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawals {
    /// Whether check and act are a single step.
    pub(crate) repaired: bool,
}

impl Program for Withdrawals {
    type Shared = Mutex<i64>;

    fn threads(&self) -> usize {
        2
    }

    fn share(&self) -> Mutex<i64> {
        Mutex::new(BALANCE)
    }

    fn run(&self, account: &Mutex<i64>, _thread: usize, turn: &dyn Fn(&'static str)) {
        if self.repaired {
            turn("checks and leaves");
            withdraw_in_one_section(account, PAYMENT, || ());
        } else {
            turn("finds");
            withdraw_after_a_check(account, PAYMENT, || turn("leaves"));
        }
    }

    fn value(&self, account: &Mutex<i64>, _step: &str) -> i64 {
        *account.lock().unwrap()
    }

    fn expected(&self) -> i64 {
        BALANCE - PAYMENT
    }
}

/// An audit beside a transfer between two accounts; the result is the total that it saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audit {
    /// Whether each of them is a single step.
    pub(crate) repaired: bool,
}

impl Program for Audit {
    /// The accounts, and the total that the audit saw.
    type Shared = (Accounts, AtomicI64);

    fn threads(&self) -> usize {
        2
    }

    fn share(&self) -> Self::Shared {
        ([BALANCE, BALANCE].map(Mutex::new), AtomicI64::new(0))
    }

    fn run(&self, (accounts, seen): &Self::Shared, thread: usize, turn: &dyn Fn(&'static str)) {
        match (thread, self.repaired) {
            (0, false) => {
                turn("sets the first to");
                transfer_lock_by_lock(accounts, MOVED, || turn("sets the second to"));
            }
            (0, true) => {
                turn("moves money and sets the first to");
                transfer_under_both_locks(accounts, MOVED, || ());
            }
            (_, false) => {
                turn("reads the first as");
                let total = audit_lock_by_lock(accounts, || turn("reads the second as"));
                seen.store(total, Relaxed);
            }
            (_, true) => {
                turn("reads both, the first as");
                seen.store(audit_under_both_locks(accounts, || ()), Relaxed);
            }
        }
    }

    fn value(&self, (accounts, _): &Self::Shared, step: &str) -> i64 {
        *accounts[usize::from(step.contains("second"))]
            .lock()
            .unwrap()
    }

    fn result(&self, (_, seen): &Self::Shared) -> i64 {
        seen.load(Relaxed)
    }

    fn expected(&self) -> i64 {
        2 * BALANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use interleave::{explore, force};

    #[test]
    fn updates_are_lost_exactly_where_a_store_falls_into_a_window() {
        for (threads, increments) in [(1, 2), (2, 1), (2, 2), (3, 1)] {
            let counter = Counter::of(threads, increments);
            let all = Schedule::all(&vec![STEPS * increments; threads]);
            for played in force(&counter, &all) {
                assert_eq!(played.is_wrong(), has_a_store_in_a_window(&played.schedule));
            }
        }
    }

    #[test]
    fn the_first_failing_audit_comes_with_its_steps() {
        let audit = explore(Audit { repaired: false });
        let failing = audit.failing().next().expect("two of six fail");
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
        assert_eq!(failing.result, 190);
    }
}
