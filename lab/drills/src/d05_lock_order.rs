//! One thread transfers from account A to B, another from B to A, and both wait forever. Repair
//! `transfer`: it moves the amount, it always ends, also from an account to itself, and it has both
//! locks before it changes a balance, so that no money is on the way. Each account has a `balance`
//! and an `id` of its own. The `Mutex` is that of the standard library, with a stop after each
//! lock.

use lab_drills::d05::Account;

/// Moves an amount from one account to the other.
fn transfer(from: &Account, to: &Account, amount: i64) {
    let mut source = from.balance.lock().unwrap();
    let mut target = to.balance.lock().unwrap();
    *source -= amount;
    *target += amount;
}

fn main() -> std::process::ExitCode {
    lab_drills::d05::check(transfer).report()
}
