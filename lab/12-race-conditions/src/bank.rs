//! Check-then-act, and two locks with one invariant, on real threads.

use crate::{
    audit_lock_by_lock, audit_under_both_locks, threads::together, transfer_lock_by_lock,
    transfer_under_both_locks, trials::dawdle, withdraw_after_a_check, withdraw_in_one_section,
};
use std::{
    io,
    num::NonZeroUsize,
    sync::{Barrier, Mutex},
};

/// What an account holds at first.
pub const BALANCE: i64 = 100;
/// What each of two threads wants from it: there is enough for one.
pub const PAYMENT: i64 = 80;
/// What is moved between two accounts, to and fro.
pub const MOVED: i64 = 10;
/// Two threads, here as in the model.
const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// How a race is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With nothing in the window.
    Tight,
    /// With the window held open.
    Widened,
    /// Repaired, with the window held open as before.
    Repaired,
}

/// Lets two threads withdraw from one account, once per trial; returns the balances left.
///
/// # Errors
/// The system refuses to start another thread.
pub fn withdraw_at_once(mode: Mode, trials: usize) -> io::Result<Vec<i64>> {
    let accounts: Vec<Mutex<i64>> = (0..trials).map(|_| Mutex::new(BALANCE)).collect();
    together(TWO, |_, barrier| {
        withdraw_from_each(&accounts, barrier, mode)
    })?;
    Ok(accounts.into_iter().map(balance).collect())
}

#[tracing::instrument(name = "withdraw", skip_all, fields(wait = "barrier"))]
fn withdraw_from_each(accounts: &[Mutex<i64>], barrier: &Barrier, mode: Mode) {
    for account in accounts {
        barrier.wait();
        match mode {
            Mode::Tight => withdraw_after_a_check(account, PAYMENT, || ()),
            Mode::Widened => withdraw_after_a_check(account, PAYMENT, dawdle),
            Mode::Repaired => withdraw_in_one_section(account, PAYMENT, dawdle),
        };
    }
}

/// Lets both threads check before either acts; returns the balance left.
///
/// # Errors
/// The system refuses to start another thread.
pub fn overdraw_by_force() -> io::Result<i64> {
    let account = Mutex::new(BALANCE);
    together(TWO, |_, barrier| {
        meet_between_check_and_act(&account, barrier)
    })?;
    Ok(balance(account))
}

#[tracing::instrument(name = "forced", skip_all, fields(wait = "barrier"))]
fn meet_between_check_and_act(account: &Mutex<i64>, barrier: &Barrier) {
    withdraw_after_a_check(account, PAYMENT, || {
        barrier.wait();
    });
}

/// Audits two accounts while another thread moves money between them, once per trial; returns the
/// totals seen.
///
/// # Errors
/// The system refuses to start another thread.
pub fn audit_beside_transfers(mode: Mode, trials: usize) -> io::Result<Vec<i64>> {
    let pair = || [Mutex::new(BALANCE), Mutex::new(BALANCE)];
    let accounts: Vec<_> = (0..trials).map(|_| pair()).collect();
    let seen = together(TWO, |number, barrier| match number {
        0 => {
            transfer_in_each(&accounts, barrier, mode);
            Vec::new()
        }
        _ => audit_each(&accounts, barrier, mode),
    })?;
    Ok(seen.into_iter().flatten().collect())
}

#[tracing::instrument(name = "transfer", skip_all, fields(wait = "barrier"))]
fn transfer_in_each(accounts: &[[Mutex<i64>; 2]], barrier: &Barrier, mode: Mode) {
    for (trial, [first, second]) in accounts.iter().enumerate() {
        barrier.wait();
        let between = || dawdle_if(transfer_dawdles(trial));
        match mode {
            Mode::Tight => transfer_lock_by_lock(first, second, MOVED, || ()),
            Mode::Widened => transfer_lock_by_lock(first, second, MOVED, between),
            Mode::Repaired => transfer_under_both_locks(first, second, MOVED, between),
        }
    }
}

#[tracing::instrument(name = "audit", skip_all, fields(wait = "barrier"))]
fn audit_each(accounts: &[[Mutex<i64>; 2]], barrier: &Barrier, mode: Mode) -> Vec<i64> {
    let audit = |(trial, [first, second]): (usize, &[Mutex<i64>; 2])| {
        barrier.wait();
        let between = || dawdle_if(!transfer_dawdles(trial));
        match mode {
            Mode::Tight => audit_lock_by_lock(first, second, || ()),
            Mode::Widened => audit_lock_by_lock(first, second, between),
            Mode::Repaired => audit_under_both_locks(first, second, between),
        }
    };
    accounts.iter().enumerate().map(audit).collect()
}

/// Whose window is held open, two trials each: who is first through the barrier may change with
/// every trial, and on one CPU only a first one that dawdles lets the other in.
fn transfer_dawdles(trial: usize) -> bool {
    trial % 4 < 2
}

/// Holds one of the two windows open and not the other: threads that both dawdle only take turns.
fn dawdle_if(is_its_turn: bool) {
    if is_its_turn {
        dawdle();
    }
}

fn balance(account: Mutex<i64>) -> i64 {
    account.into_inner().expect("no holder of this lock panics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawal_is_refused_or_the_account_is_overdrawn_and_nothing_else() {
        for mode in [Mode::Tight, Mode::Widened] {
            let left = withdraw_at_once(mode, 50).expect("threads start");
            assert_eq!(left.len(), 50);
            assert!(left.iter().all(|left| [20, -60].contains(left)), "{left:?}");
        }
    }

    #[test]
    fn one_section_never_overdraws_however_long_it_takes() {
        let left = withdraw_at_once(Mode::Repaired, 50).expect("threads start");
        assert_eq!(left, [20; 50]);
    }

    #[test]
    fn when_both_check_first_both_are_paid() {
        for _ in 0..20 {
            assert_eq!(overdraw_by_force().expect("threads start"), -60);
        }
    }

    #[test]
    fn under_both_locks_every_audit_sees_all_of_the_money() {
        let seen = audit_beside_transfers(Mode::Repaired, 50).expect("threads start");
        assert_eq!(seen, [200; 50]);
    }

    #[test]
    fn lock_by_lock_an_audit_is_out_by_what_is_moved_at_most() {
        for mode in [Mode::Tight, Mode::Widened] {
            let seen = audit_beside_transfers(mode, 50).expect("threads start");
            assert_eq!(seen.len(), 50);
            assert!(seen.iter().all(|total| [190, 200, 210].contains(total)));
        }
    }
}
