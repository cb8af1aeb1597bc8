//! `price` computes a long sum in four parts. It waits for nothing, so the executor's only thread
//! gets to no other task until the sum is done: a heartbeat beside it stops. Repair `price`: the
//! heart beats between any two parts that are computed on the executor's thread, or all of them are
//! computed elsewhere.

use lab_drills::d19::Part;

/// Computes a price: the sum of its parts.
async fn price(parts: Vec<Part>) -> u64 {
    let mut sum = 0;
    for part in parts {
        sum += part.compute();
    }
    sum
}

fn main() -> std::process::ExitCode {
    lab_drills::d19::check(price).report()
}
