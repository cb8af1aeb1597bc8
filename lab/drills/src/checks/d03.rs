//! A lost update.

use crate::{
    Drill,
    stage::judge,
    sync::{AtomicU64, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::sync::{Arc, Mutex, atomic::Ordering::Relaxed};

const THREADS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 3,
    name: "lost_update",
    lesson: "lab-06-race-condition",
    task: "Three threads call `add` on one total, and some of what they add is lost. Repair `add` so \
           that nothing is lost in any order of the threads. The `AtomicU64` is that of the standard \
           library, with a stop after each load: there the check lets another thread in. There is \
           more than one good repair.",
    hints: [
        "What if another thread stores between your load and your store?",
        "Load and store must become one step that no thread gets between, or the store must fail \
         when the value has changed.",
        "`total.fetch_add(amount, Relaxed)` is one step. Or: `compare_exchange` in a loop, until it \
         succeeds. Or: a `static` `Mutex` around both.",
    ],
    entry: "add",
    source: include_str!("d03.rs"),
    candidates: crate::candidates! { add;
        solution "",
        solution_retry "",
        solution_lock "",
        shipped "load and store are two steps",
        seq_cst "two steps in the strongest order are still two",
        tries_once "a failed exchange is not tried again",
        hard_coded "the total is a constant",
    },
};

/// Checks a repair.
pub fn check(add: fn(&AtomicU64, u64)) -> Verdict {
    judge("thread", THREADS, |stage| {
        let (total, got) = (AtomicU64::new(10, stage), Arc::new(Mutex::new(0)));
        let last = Arc::clone(&got);
        stage.watch(move || {
            on_lanes(THREADS, |lane| add(&total, lane as u64 + 1));
            *last.lock().unwrap() = total.peek();
        })?;
        let (got, expected) = (*got.lock().unwrap(), 10 + 1 + 2 + 3);
        let failed = stage.count(None, "stores nothing");
        let stale = stage.count(None, "loads 10");
        if got != expected {
            let result = format!("the total is {got} instead of {expected}");
            ensure!(
                stage.count(None, "SeqCst") == 0,
                "{result}: {stale} threads loaded 10 before any stored. `SeqCst` puts accesses in an order; it does not make two of them one"
            );
            ensure!(
                failed == 0,
                "{result}: {failed} exchanges found another value than the one loaded, and nothing tried again"
            );
            ensure!(stale > 0, "{result}: no thread loaded before it stored");
            anyhow::bail!(
                "{result}: {stale} threads loaded 10 before any of them stored, and the last store stands"
            );
        }
        Ok(())
    })
}

mod shipped {
    use crate::sync::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    /// Adds an amount to the total.
    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let seen = total.load(Relaxed);
        total.store(seen + amount, Relaxed);
    }
}

mod solution {
    use crate::sync::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    /// Adds an amount to the total.
    pub(super) fn add(total: &AtomicU64, amount: u64) {
        total.fetch_add(amount, Relaxed);
    }
}

mod solution_retry {
    use super::{AtomicU64, Relaxed};

    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let mut seen = total.load(Relaxed);
        while let Err(found) = total.compare_exchange(seen, seen + amount, Relaxed, Relaxed) {
            seen = found;
        }
    }
}

mod solution_lock {
    use super::{AtomicU64, Mutex, Relaxed};

    static LOCK: Mutex<()> = Mutex::new(());

    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let _held = LOCK.lock().unwrap();
        let seen = total.load(Relaxed);
        total.store(seen + amount, Relaxed);
    }
}

mod seq_cst {
    use super::AtomicU64;
    use std::sync::atomic::Ordering::SeqCst;

    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let seen = total.load(SeqCst);
        total.store(seen + amount, SeqCst);
    }
}

mod tries_once {
    use super::{AtomicU64, Relaxed};

    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let seen = total.load(Relaxed);
        let _ = total.compare_exchange(seen, seen + amount, Relaxed, Relaxed);
    }
}

mod hard_coded {
    use super::{AtomicU64, Relaxed};

    pub(super) fn add(total: &AtomicU64, _amount: u64) {
        total.store(6, Relaxed);
    }
}
