//! The races and their repairs as small programs, whose steps can be put in any order.
//!
//! `turn` stands before each step, and in the window of a race that is `between`. A repair has no
//! window: it is a single step.

use crate::{
    Accounts, audit_lock_by_lock, audit_under_both_locks, increment_in_one_step,
    increment_losing_updates, lock, transfer_lock_by_lock, transfer_under_both_locks,
    withdraw_after_a_check, withdraw_in_one_section,
};
use interleave::{Count, Program, Schedule, count_schedules};
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering::Relaxed},
};

/// What an account holds at first.
pub const BALANCE: i64 = 100;
/// What each of two threads wants from it: there is enough for one.
pub const PAYMENT: i64 = 80;
/// What is moved between two accounts.
pub const MOVED: i64 = 10;

/// The steps of one increment: load, store.
pub const STEPS: usize = 2;

/// Threads that each add one so many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// How many threads.
    pub threads: usize,
    /// Increments of each.
    pub increments: usize,
    /// Whether an increment is a single step.
    pub repaired: bool,
}

impl Counter {
    /// The smallest that can lose an update: two threads, one increment each.
    pub const SMALLEST: Self = Self {
        threads: 2,
        increments: 1,
        repaired: false,
    };

    /// In how many orders its loads and stores can happen.
    pub fn schedules(self) -> Count {
        count_schedules(self.threads as u64, (STEPS * self.increments) as u64)
    }

    /// All those orders.
    pub fn all_schedules(self) -> Vec<Schedule> {
        Schedule::all(&vec![STEPS * self.increments; self.threads])
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
pub fn has_a_store_in_a_window(schedule: &Schedule) -> bool {
    let mut open = vec![None; schedule.threads()];
    let mut stores = 0;
    for &thread in schedule.turns() {
        match open[thread].take() {
            None => open[thread] = Some(stores),
            Some(at_load) if at_load != stores => return true,
            Some(_) => stores += 1,
        }
    }
    false
}

/// Two withdrawals from an account with money for one.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawals {
    /// Whether check and act are a single step.
    pub repaired: bool,
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
        *lock(account)
    }

    fn expected(&self) -> i64 {
        BALANCE - PAYMENT
    }
}

/// An audit beside a transfer between two accounts; the result is the total that it saw.
#[derive(Clone, Copy, Debug)]
pub struct Audit {
    /// Whether each of them is a single step.
    pub repaired: bool,
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
        let total = match (thread, self.repaired) {
            (0, false) => {
                turn("sets the first to");
                transfer_lock_by_lock(accounts, MOVED, || turn("sets the second to"));
                return;
            }
            (0, true) => {
                turn("moves money and sets the first to");
                transfer_under_both_locks(accounts, MOVED, || ());
                return;
            }
            (_, false) => {
                turn("reads the first as");
                audit_lock_by_lock(accounts, || turn("reads the second as"))
            }
            (_, true) => {
                turn("reads both, the first as");
                audit_under_both_locks(accounts, || ())
            }
        };
        seen.store(total, Relaxed);
    }

    fn value(&self, (accounts, _): &Self::Shared, step: &str) -> i64 {
        *lock(&accounts[usize::from(step.contains("second"))])
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
    use interleave::{Explored, explore, force};

    fn figures(explored: &Explored) -> (usize, usize) {
        assert!(explored.complete);
        (explored.played.len(), explored.failing().count())
    }

    #[test]
    fn updates_are_lost_exactly_where_a_store_falls_into_a_window() {
        for (threads, increments) in [(1, 2), (2, 1), (2, 2), (3, 1)] {
            let repaired = false;
            let counter = Counter {
                threads,
                increments,
                repaired,
            };
            for played in force(&counter, &counter.all_schedules()) {
                assert_eq!(played.is_wrong(), has_a_store_in_a_window(&played.schedule));
            }
        }
    }

    #[test]
    fn orders_break_each_race_and_no_repair() {
        let counter = |repaired| Counter {
            repaired,
            ..Counter::SMALLEST
        };
        assert_eq!(figures(&explore(counter(false))), (6, 4));
        assert_eq!(figures(&explore(counter(true))), (2, 0));
        let withdrawals = |repaired| explore(Withdrawals { repaired });
        assert_eq!(figures(&withdrawals(false)), (6, 4));
        assert_eq!(figures(&withdrawals(true)), (2, 0));
        let audit = |repaired| explore(Audit { repaired });
        assert_eq!(figures(&audit(false)), (6, 2));
        assert_eq!(figures(&audit(true)), (2, 0));
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
