//! Lock order.

use crate::{
    Drill,
    stage::{Stage, is_stuck, judge},
    sync::{Mutex, locks, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::Arc;

const THREADS: usize = 2;

pub(crate) const DRILL: Drill = Drill {
    number: 5,
    name: "lock_order",
    task: "One thread transfers from account A to B, another from B to A, and both wait forever. \
           Repair `transfer`: it moves the amount, it always ends, also from an account to itself, and \
           it has both locks before it changes a balance, so that no money is on the way. Each account \
           has a `balance` and an `id` of its own. The `Mutex` is that of the standard library, with a \
           stop after each lock.",
    hints: [
        "Each thread has one lock and waits for the other's. What if both asked for the same lock \
         first?",
        "Give the locks an order, and take them in that order, whichever way the money goes. The \
         accounts have an `id`.",
        "Lock the account with the smaller `id` first. If both ids are equal there is nothing to \
         move: return before you lock.",
    ],
    entry: "transfer",
    source: include_str!("d05.rs"),
    candidates: crate::candidates! { transfer;
        solution "",
        shipped "the two locks are taken in opposite orders",
        forgets_itself "an account is locked twice by one thread",
        gives_up "a transfer that cannot have both locks is dropped",
        asks_again "a loop asks for the second lock until it is free",
        one_at_a_time "the first lock is released before the second is taken",
    },
};

/// An account with a lock of its own.
pub struct Account {
    /// Its number; no other account has it.
    pub id: u32,
    /// What is in it.
    pub balance: Mutex<i64>,
}

/// Checks a repair.
pub fn check(transfer: fn(&Account, &Account, i64)) -> Verdict {
    judge("thread", THREADS, |stage| {
        let account = |id, name| Account {
            id,
            balance: Mutex::new(name, 100, stage),
        };
        let accounts = Arc::new([account(1, "A"), account(2, "B")]);
        let shared = Arc::clone(&accounts);
        let ended = stage.watch(move || {
            on_lanes(THREADS, |lane| match lane {
                0 => transfer(&shared[0], &shared[1], 10),
                _ => transfer(&shared[1], &shared[0], 30),
            });
        });
        let locks = locks(stage, THREADS);
        ensure!(!is_stuck(&ended) || locks.is_empty(), "a deadlock: {locks}");
        ended?;
        let refused = stage.count(None, "gets no A") + stage.count(None, "gets no B");
        let balances = accounts.each_ref().map(|account| account.balance.peek());
        ensure!(
            refused == 0 || balances == [120, 80],
            "{refused} transfer found a lock taken and gave up: A has {} instead of 120",
            balances[0]
        );
        ensure!(
            balances == [120, 80],
            "A and B have {balances:?} instead of [120, 80]"
        );
        (0..THREADS).try_for_each(|lane| took_both(stage, lane))?;
        let again = Arc::clone(&accounts);
        let ended = stage.watch(move || transfer(&again[0], &again[0], 5));
        ensure!(
            !is_stuck(&ended) || accounts[0].balance.is_free(),
            "a transfer from A to A waits for the lock that its own thread has"
        );
        ended
    })
}

/// A thread takes both locks before it releases one.
fn took_both(stage: &Stage, lane: usize) -> anyhow::Result<()> {
    let (name, notes) = (stage.name(lane), stage.notes(lane));
    let has = |notes: &[String]| notes.iter().filter(|note| note.starts_with("has")).count();
    let all = has(&notes);
    ensure!(
        all == 2,
        "{name} took {all} locks for a transfer between two accounts"
    );
    let freed = notes.iter().position(|note| note.starts_with("frees"));
    ensure!(
        freed.is_some_and(|at| has(&notes[..at]) == 2),
        "{name} released its first lock before it had the second: in between, the money was in neither account"
    );
    Ok(())
}

mod shipped {
    use lab_drills::d05::Account;

    /// Moves an amount from one account to the other.
    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        let mut source = from.balance.lock().unwrap();
        let mut target = to.balance.lock().unwrap();
        *source -= amount;
        *target += amount;
    }
}

mod solution {
    use lab_drills::d05::Account;

    /// Moves an amount from one account to the other.
    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        if from.id == to.id {
            return;
        }
        let (mut source, mut target);
        if from.id < to.id {
            source = from.balance.lock().unwrap();
            target = to.balance.lock().unwrap();
        } else {
            target = to.balance.lock().unwrap();
            source = from.balance.lock().unwrap();
        }
        *source -= amount;
        *target += amount;
    }
}

mod forgets_itself {
    use super::Account;

    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        let change = |account: &Account| {
            if account.id == from.id {
                -amount
            } else {
                amount
            }
        };
        let (first, second) = if from.id < to.id {
            (from, to)
        } else {
            (to, from)
        };
        let mut one = first.balance.lock().unwrap();
        let mut other = second.balance.lock().unwrap();
        *one += change(first);
        *other += change(second);
    }
}

mod gives_up {
    use super::Account;

    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        let mut source = from.balance.lock().unwrap();
        if let Ok(mut target) = to.balance.try_lock() {
            *source -= amount;
            *target += amount;
        }
    }
}

mod asks_again {
    use super::Account;

    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        loop {
            let mut source = from.balance.lock().unwrap();
            if let Ok(mut target) = to.balance.try_lock() {
                *source -= amount;
                *target += amount;
                return;
            }
        }
    }
}

mod one_at_a_time {
    use super::Account;

    pub(super) fn transfer(from: &Account, to: &Account, amount: i64) {
        *from.balance.lock().unwrap() -= amount;
        *to.balance.lock().unwrap() += amount;
    }
}
