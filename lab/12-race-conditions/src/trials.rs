//! The races and their repairs on real threads, many times over.

use crate::{
    Accounts, audit_lock_by_lock, audit_under_both_locks, increment_in_one_step,
    increment_losing_updates, lock,
    programs::{BALANCE, MOVED, PAYMENT},
    transfer_lock_by_lock, transfer_under_both_locks, withdraw_after_a_check,
    withdraw_in_one_section,
};
use measure::workload::mix;
use std::{
    hint::black_box,
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::{Barrier, Mutex, atomic::AtomicI64},
    thread::{self, Builder},
};
use tracing::info_span;

/// How many threads race, and how often each of them adds one.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Threads on one counter.
    pub threads: NonZeroUsize,
    /// Increments that each thread makes.
    pub increments: u64,
}

impl Race {
    /// The count that all increments together should give.
    pub fn expected(self) -> u64 {
        self.threads.get() as u64 * self.increments
    }
}

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

/// Makes all increments on the calling thread, in the two steps that lose updates on several.
#[tracing::instrument(name = "count", skip_all)]
pub fn count_sequential(race: Race) -> i64 {
    let counter = AtomicI64::new(0);
    // Hidden from the optimiser, which would fold a counter that no other code sees into one addition.
    let shared = black_box(&counter);
    for _ in 0..race.expected() {
        increment_losing_updates(shared, || ());
    }
    counter.into_inner()
}

/// Counts on all threads, once per trial; returns each trial's count.
pub fn count(race: Race, mode: Mode, trials: usize) -> Vec<i64> {
    let counters: Vec<AtomicI64> = (0..trials).map(|_| AtomicI64::new(0)).collect();
    on_threads(race.threads, |_, barrier| {
        for counter in &counters {
            count_once(race.increments, mode, counter, barrier);
        }
    });
    counters.into_iter().map(AtomicI64::into_inner).collect()
}

/// One thread's part in one trial; it starts when all threads are there.
#[tracing::instrument(name = "trial", skip_all, fields(wait = "barrier"))]
fn count_once(increments: u64, mode: Mode, counter: &AtomicI64, barrier: &Barrier) {
    barrier.wait();
    match mode {
        Mode::Tight => (0..increments).for_each(|_| increment_losing_updates(counter, || ())),
        Mode::Widened => (0..increments).for_each(|step| {
            increment_losing_updates(counter, || work_a_little(step));
        }),
        Mode::Repaired => (0..increments).for_each(|_| increment_in_one_step(counter)),
    }
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

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Lets two threads withdraw from one account, once per trial; returns the balances left.
pub fn withdraw_at_once(mode: Mode, trials: usize) -> Vec<i64> {
    let accounts: Vec<Mutex<i64>> = (0..trials).map(|_| Mutex::new(BALANCE)).collect();
    on_threads(TWO, |_, barrier| {
        let _trials = info_span!("withdraw", wait = "barrier").entered();
        for account in &accounts {
            barrier.wait();
            match mode {
                Mode::Tight => withdraw_after_a_check(account, PAYMENT, || ()),
                Mode::Widened => withdraw_after_a_check(account, PAYMENT, let_others_run),
                Mode::Repaired => withdraw_in_one_section(account, PAYMENT, let_others_run),
            };
        }
    });
    accounts.iter().map(|account| *lock(account)).collect()
}

/// Audits two accounts while another thread moves money between them, once per trial; returns the
/// totals seen.
pub fn audit_beside_transfers(mode: Mode, trials: usize) -> Vec<i64> {
    let pair = |_| [BALANCE, BALANCE].map(Mutex::new);
    let accounts: Vec<Accounts> = (0..trials).map(pair).collect();
    let trials = || accounts.iter().enumerate();
    let seen = on_threads(TWO, |thread, barrier| {
        if thread == 0 {
            let _trials = info_span!("transfer", wait = "barrier").entered();
            trials().for_each(|(trial, accounts)| {
                barrier.wait();
                let between = || let_others_run_if(transfer_is_held_open(trial));
                match mode {
                    Mode::Tight => transfer_lock_by_lock(accounts, MOVED, || ()),
                    Mode::Widened => transfer_lock_by_lock(accounts, MOVED, between),
                    Mode::Repaired => transfer_under_both_locks(accounts, MOVED, between),
                }
            });
            return Vec::new();
        }
        let _trials = info_span!("audit", wait = "barrier").entered();
        let audit = |(trial, accounts): (usize, &Accounts)| {
            barrier.wait();
            let between = || let_others_run_if(!transfer_is_held_open(trial));
            match mode {
                Mode::Tight => audit_lock_by_lock(accounts, || ()),
                Mode::Widened => audit_lock_by_lock(accounts, between),
                Mode::Repaired => audit_under_both_locks(accounts, between),
            }
        };
        trials().map(audit).collect()
    });
    seen.concat()
}

/// Whose window is held open, two trials each: which thread is first through the barrier may change
/// with every trial, and on one CPU only a first one that waits lets the other in. If both waited,
/// they would only take turns.
fn transfer_is_held_open(trial: usize) -> bool {
    trial % 4 < 2
}

fn let_others_run_if(is_held_open: bool) {
    if is_held_open {
        let_others_run();
    }
}

/// Runs `work` on threads called A, B and so on, which may meet at a barrier.
fn on_threads<T: Send>(
    threads: NonZeroUsize,
    work: impl Fn(usize, &Barrier) -> T + Sync,
) -> Vec<T> {
    let barrier = Barrier::new(threads.get());
    let (work, barrier) = (&work, &barrier);
    thread::scope(|scope| {
        let start = |number| {
            let thread = Builder::new().name(format!("thread {}", interleave::letter(number)));
            let started = thread.spawn_scoped(scope, move || work(number, barrier));
            started.expect("the system starts a thread")
        };
        let started: Vec<_> = (0..threads.get()).map(start).collect();
        let ends = started.into_iter().map(|thread| thread.join());
        ends.map(|end| end.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn race(threads: usize, increments: u64) -> Race {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Race {
            threads,
            increments,
        }
    }

    #[test]
    fn one_thread_counts_everything_in_every_mode() {
        for mode in [Mode::Tight, Mode::Widened, Mode::Repaired] {
            assert_eq!(count(race(1, 1_000), mode, 3), [1_000; 3]);
        }
        assert_eq!(count_sequential(race(4, 250)), 1_000);
    }

    #[test]
    fn one_step_loses_nothing_and_two_steps_add_nothing() {
        for threads in 1..=8 {
            let race = race(threads, 2_000);
            let expected = race.expected() as i64;
            assert_eq!(count(race, Mode::Repaired, 3), [expected; 3]);
            for mode in [Mode::Tight, Mode::Widened] {
                assert!(
                    count(race, mode, 3)
                        .iter()
                        .all(|got| (1..=expected).contains(got))
                );
            }
        }
    }

    #[test]
    fn a_withdrawal_is_refused_or_the_account_is_overdrawn_and_nothing_else() {
        for mode in [Mode::Tight, Mode::Widened] {
            let left = withdraw_at_once(mode, 50);
            assert!(left.iter().all(|left| [20, -60].contains(left)), "{left:?}");
        }
        assert_eq!(withdraw_at_once(Mode::Repaired, 50), [20; 50]);
    }

    #[test]
    fn an_audit_is_out_by_what_is_moved_at_most_and_under_both_locks_never() {
        for mode in [Mode::Tight, Mode::Widened] {
            let seen = audit_beside_transfers(mode, 50);
            assert!(seen.iter().all(|seen| [190, 200, 210].contains(seen)));
        }
        assert_eq!(audit_beside_transfers(Mode::Repaired, 50), [200; 50]);
    }
}
