//! A function that aborts, hangs or panics on some inputs: `cargo run --example abort`.

use process_pool::{TaskError, Worker, child};
use std::{error::Error, num::NonZeroUsize, thread, time::Duration};

const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

/// Stands for a library in another language that is not to be trusted.
const FRAGILE: Worker<u32, u32> = Worker::new("fragile", |n| match n % 10 {
    3 => child::crash(),
    5 => panic!("{n} is not welcome"),
    7 => loop {
        thread::park();
    },
    _ => n * n,
});

fn main() -> Result<(), Box<dyn Error>> {
    child::enter(&[&FRAGILE]);
    let builder = FRAGILE.pool_builder().workers(TWO);
    let builder = builder.retries(1).timeout(Duration::from_secs(1));
    let pool = builder.start()?;
    for (n, outcome) in (0..20).zip(pool.map(0..20)) {
        match outcome {
            Ok(square) => assert_eq!(square, n * n),
            // It was begun twice, and ended its worker twice.
            Err(error @ TaskError::WorkerLost { .. }) => println!("{n} crashes: {error}"),
            Err(error @ TaskError::TimedOut { .. }) => println!("{n} hangs: {error}"),
            Err(TaskError::Panicked { message, .. }) => println!("{n} panics: {message}"),
            Err(error) => return Err(error.into()),
        }
    }
    // One that nobody wants any more; its worker is replaced.
    let unwanted = pool.submit(7);
    assert!(unwanted.cancel());
    assert_eq!(unwanted.wait(), Err(TaskError::Cancelled));
    assert_eq!(pool.call(9)?, 81);
    let ledger = pool.shutdown(None);
    assert!(ledger.balances(), "{ledger:?}");
    println!("{} of {} tasks are done", ledger.done, ledger.submitted);
    println!("{} workers were lost on the way", ledger.workers_lost);
    Ok(())
}
