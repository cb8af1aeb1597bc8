//! Worker processes book payments. The worker of payment 2 is killed when it has booked and not yet
//! said so; the one of payment 3 before it has booked. The pool begins both tasks again, so payment
//! 2 is booked twice. Repair `pay_all`: each payment is booked once, by a worker. The bank books no
//! key twice: `payment.with_key(key)`. `payment.is_booked()` asks it.

use lab_drills::d20::{PAY, Payment};

/// Books all payments in worker processes.
fn pay_all(payments: Vec<Payment>) {
    let pool = PAY.pool_builder().retries(2).start().unwrap();
    for result in pool.map(payments) {
        result.unwrap();
    }
}

fn main() -> std::process::ExitCode {
    lab_drills::d20::check(pay_all).report()
}
