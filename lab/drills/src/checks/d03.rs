//! A lost update.

use crate::{
    Drill,
    stage::{Stage, judge},
    sync::{AtomicU64, on_lanes},
    verdict::Verdict,
};
use anyhow::ensure;
use std::{
    fs,
    panic::Location,
    path::Path,
    sync::{Mutex, atomic::Ordering::Relaxed},
};

const THREADS: usize = 3;

pub(crate) const DRILL: Drill = Drill {
    number: 3,
    name: "lost_update",
    task: "Three threads add 1, 2 and 3 to a total of 10, and some of that is lost. Repair `add` so \
           that nothing is lost in any order of the threads. The `AtomicU64` is that of the standard \
           library, with a stop after each load: there the check lets another thread in. There is \
           more than one good repair.",
    hints: [
        "What if another thread stores between your load and your store?",
        "Load and store must become one step that no thread gets between, or the store must fail \
         when the value has changed.",
        "`total.fetch_add(amount, Relaxed)` is one step. Or: `compare_exchange` in a loop, until it \
         succeeds. Or: a `static` `Mutex` around both; one that `add` \
         makes is another in each call.",
    ],
    entry: "add",
    source: include_str!("d03.rs"),
    candidates: crate::candidates! { add;
        solution "",
        solution_retry "",
        solution_lock "",
        shipped "load and store are two steps",
        seq_cst "two steps in the strongest order are still two",
        lock_of_its_own "each call makes a lock that no other call takes",
        tries_once "a failed exchange is not tried again",
        hard_coded "the total is a constant",
        empty "`add` does nothing",
        twice "each amount is added twice",
        one_each "1 is added, whatever the amount",
    },
};

/// Checks a repair.
pub fn check(add: fn(&AtomicU64, u64)) -> Verdict {
    judge("thread", THREADS, |stage| {
        let total = AtomicU64::new(10, stage);
        let (got, loaded) = stage.watch(move || {
            on_lanes(THREADS, |lane| add(&total, lane as u64 + 1));
            (total.peek(), total.loaded())
        })?;
        if got == 10 + 1 + 2 + 3 {
            return Ok(());
        }
        why(stage, got, loaded)
    })
}

/// Why the total is another than 16.
fn why(stage: &Stage, got: u64, loaded: Option<&Location<'_>>) -> anyhow::Result<()> {
    let (failed, stale) = (
        stage.count(None, "stores nothing"),
        stage.count(None, "loads 10"),
    );
    let result = format!("the total is {got} instead of 16");
    if let Some(line) = loaded.and_then(own_lock) {
        anyhow::bail!(
            "{result}: `{line}` is inside `add`, so each call has a lock of its own, and no call waits for another"
        );
    }
    ensure!(
        stage.count(None, "SeqCst") == 0,
        "{result}: {stale} threads loaded 10 before any stored. `SeqCst` puts accesses in an order; it does not make two of them one"
    );
    ensure!(
        failed == 0,
        "{result}: {failed} exchanges found another value than the one loaded, and nothing tried again"
    );
    ensure!(got >= 10, "{result}: no thread loaded before it stored");
    ensure!(
        got != 10,
        "{result}: it was 10 at first, and nothing was added"
    );
    ensure!(
        got < 16,
        "{result}: 10 at first and 1, 2 and 3 to add; more than that was added"
    );
    ensure!(
        stale > 1,
        "{result}: {} was added to the first 10, no update was lost, and the amounts are 1, 2 and 3",
        got - 10
    );
    anyhow::bail!(
        "{result}: {stale} threads loaded 10 before any of them stored, and the last store stands"
    );
}

/// The line that makes a lock in the function that loads: only the text shows that it is another each time.
fn own_lock(load: &Location<'_>) -> Option<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(top.join(load.file())).ok()?;
    let before: Vec<&str> = text.lines().take(load.line() as usize).collect();
    let mut own = before.iter().rev().take_while(|line| !line.contains("fn "));
    let made = own.find(|line| line.contains("Mutex::new(") && !line.contains("static "))?;
    Some(made.trim().to_owned())
}

mod shipped {
    use lab_drills::sync::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    /// Adds an amount to the total.
    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let seen = total.load(Relaxed);
        total.store(seen + amount, Relaxed);
    }
}

mod solution {
    use lab_drills::sync::AtomicU64;
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

mod lock_of_its_own {
    use super::{AtomicU64, Mutex, Relaxed};

    pub(super) fn add(total: &AtomicU64, amount: u64) {
        let lock = Mutex::new(());
        let _held = lock.lock().unwrap();
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

mod empty {
    pub(super) fn add(_: &super::AtomicU64, _: u64) {}
}

mod twice {
    pub(super) fn add(total: &super::AtomicU64, amount: u64) {
        total.fetch_add(amount, super::Relaxed);
        total.fetch_add(amount, super::Relaxed);
    }
}

mod one_each {
    pub(super) fn add(total: &super::AtomicU64, _: u64) {
        total.fetch_add(1, super::Relaxed);
    }
}

mod hard_coded {
    use super::{AtomicU64, Relaxed};

    pub(super) fn add(total: &AtomicU64, _amount: u64) {
        total.store(6, Relaxed);
    }
}
