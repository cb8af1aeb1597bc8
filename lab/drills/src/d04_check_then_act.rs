//! Two tills pay out from one account. Every access is locked, and still the account is overdrawn.
//! Repair `withdraw`: no more is paid out than there is; a withdrawal that the balance covers
//! succeeds; and both tills may count out notes at the same time, because counting is slow.

use lab_drills::d04::Till;
use std::sync::Mutex;

/// Pays out an amount if the account has it; returns whether it did.
fn withdraw(account: &Mutex<i64>, till: &Till, amount: i64) -> bool {
    let balance = *account.lock().unwrap();
    if balance < amount {
        return false;
    }
    till.count_out(amount);
    *account.lock().unwrap() -= amount;
    true
}

fn main() -> std::process::ExitCode {
    lab_drills::d04::check(withdraw).report()
}
