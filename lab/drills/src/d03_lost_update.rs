//! Three threads add 1, 2 and 3 to a total of 10, and some of that is lost. Repair `add` so that
//! nothing is lost in any order of the threads. The `AtomicU64` is that of the standard library,
//! with a stop after each load: there the check lets another thread in. There is more than one good
//! repair.

use lab_drills::sync::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Adds an amount to the total.
fn add(total: &AtomicU64, amount: u64) {
    let seen = total.load(Relaxed);
    total.store(seen + amount, Relaxed);
}

fn main() -> std::process::ExitCode {
    lab_drills::d03::check(add).report()
}
