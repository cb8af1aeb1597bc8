//! The races and their repairs on real threads, many times over.

use crate::{
    audit_lock_by_lock, audit_under_both_locks, increment_in_one_step, increment_losing_updates,
    transfer_lock_by_lock, transfer_under_both_locks, withdraw_after_a_check,
    withdraw_in_one_section,
};
use measure::workload::mix;
use std::{
    num::NonZeroUsize,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    thread::{self, Builder},
};
use tracing::info_span;

/// What an account holds at first.
pub const BALANCE: i64 = 100;
/// What each of two threads wants from it: there is enough for one.
pub const PAYMENT: i64 = 80;
/// What is moved between two accounts.
pub const MOVED: i64 = 10;

/// How a race is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With nothing in the window.
    Tight,
    /// With the window held open.
    Widened,
    /// Repaired; where the repair has a critical section, it is as long as the window was.
    Repaired,
}

/// Lets threads add to one counter, `increments` each, once per trial; returns each trial's count.
pub fn count(threads: NonZeroUsize, increments: u64, mode: Mode, trials: usize) -> Vec<i64> {
    let counters: Vec<AtomicI64> = (0..trials).map(|_| AtomicI64::new(0)).collect();
    at_once(mode, threads.get(), &counters, |_, _, counter| match mode {
        Mode::Tight => (0..increments).for_each(|_| increment_losing_updates(counter, || ())),
        Mode::Widened => (0..increments).for_each(|step| {
            increment_losing_updates(counter, || work_a_little(step));
        }),
        Mode::Repaired => (0..increments).for_each(|_| increment_in_one_step(counter)),
    });
    counters.into_iter().map(AtomicI64::into_inner).collect()
}

/// Lets two threads withdraw from one account, once per trial; returns the balances left.
pub fn withdraw(mode: Mode, trials: usize) -> Vec<i64> {
    let accounts: Vec<Mutex<i64>> = (0..trials).map(|_| Mutex::new(BALANCE)).collect();
    let between = || match mode {
        Mode::Tight => {}
        Mode::Widened | Mode::Repaired => let_others_run(),
    };
    at_once(mode, 2, &accounts, |_, _, account| {
        match mode {
            Mode::Repaired => withdraw_in_one_section(account, PAYMENT, between),
            _ => withdraw_after_a_check(account, PAYMENT, between),
        };
    });
    let left = accounts.into_iter().map(Mutex::into_inner);
    left.map(Result::unwrap).collect()
}

/// Lets one thread audit two accounts while another moves money between them, once per trial; returns
/// the totals seen.
pub fn audit(mode: Mode, trials: usize) -> Vec<i64> {
    let case = |_| ([BALANCE, BALANCE].map(Mutex::new), AtomicI64::new(0));
    let cases: Vec<_> = (0..trials).map(case).collect();
    at_once(mode, 2, &cases, |thread, trial, (accounts, seen)| {
        // One of the two holds its window open, two trials each: which thread is first through the
        // barrier may change, and on one CPU only a first one that waits lets the other in.
        let is_open = mode != Mode::Tight && (trial % 4 < 2) == (thread == 0);
        let between = || {
            if is_open {
                let_others_run();
            }
        };
        match (thread, mode) {
            (0, Mode::Repaired) => transfer_under_both_locks(accounts, MOVED, between),
            (0, _) => transfer_lock_by_lock(accounts, MOVED, between),
            (_, Mode::Repaired) => seen.store(audit_under_both_locks(accounts, between), Relaxed),
            (_, _) => seen.store(audit_lock_by_lock(accounts, between), Relaxed),
        }
    });
    cases
        .into_iter()
        .map(|(_, seen)| seen.into_inner())
        .collect()
}

/// Holds the window open: work of about 0.1 µs and, now and then, leaving the CPU to others.
///
/// A yield at every step would cost a whole time slice each on a busy machine.
fn work_a_little(step: u64) {
    if step.is_multiple_of(10_000) {
        thread::yield_now();
    }
    mix(step, 100);
}

/// Holds the window open until the others are awake that waited at the same barrier, and leaves the
/// CPU to them where there is but one.
fn let_others_run() {
    mix(7, 20_000);
    thread::yield_now();
}

/// Runs `part` on all threads for each trial; they start it together. It gets the thread's number, that
/// of the trial, and what the trial shares.
fn at_once<S: Sync>(
    mode: Mode,
    threads: usize,
    trials: &[S],
    part: impl Fn(usize, usize, &S) + Sync,
) {
    let (part, barrier) = (&part, &Barrier::new(threads));
    thread::scope(|scope| {
        for thread in 0..threads {
            let name = format!("{mode:?} {}", thread + 1).to_lowercase();
            let work = move || {
                for (trial, shared) in trials.iter().enumerate() {
                    info_span!("meet", wait = "barrier").in_scope(|| barrier.wait());
                    info_span!("trial").in_scope(|| part(thread, trial, shared));
                }
            };
            let started = Builder::new().name(name).spawn_scoped(scope, work);
            started.expect("the system starts a thread");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Mode; 3] = [Mode::Tight, Mode::Widened, Mode::Repaired];

    #[test]
    fn one_thread_counts_everything_in_every_mode() {
        for mode in MODES {
            assert_eq!(count(NonZeroUsize::MIN, 1_000, mode, 3), [1_000; 3]);
        }
    }

    #[test]
    fn one_step_loses_nothing_and_two_steps_add_nothing() {
        for threads in (1..=8).filter_map(NonZeroUsize::new) {
            let expected = 2_000 * threads.get() as i64;
            assert_eq!(count(threads, 2_000, Mode::Repaired, 3), [expected; 3]);
            for mode in [Mode::Tight, Mode::Widened] {
                let counts = count(threads, 2_000, mode, 3);
                assert!(counts.iter().all(|got| (1..=expected).contains(got)));
            }
        }
    }

    #[test]
    fn a_race_goes_wrong_as_it_can_and_a_repair_never() {
        for mode in MODES {
            let (left, seen) = (withdraw(mode, 50), audit(mode, 50));
            assert_eq!((left.len(), seen.len()), (50, 50));
            assert!(left.iter().all(|left| [20, -60].contains(left)), "{left:?}");
            assert!(seen.iter().all(|seen| [190, 200, 210].contains(seen)));
        }
        assert_eq!(withdraw(Mode::Repaired, 50), [20; 50]);
        assert_eq!(audit(Mode::Repaired, 50), [200; 50]);
    }
}
