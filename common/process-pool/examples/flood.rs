//! 100,000 tasks from tokio, half of them given up: `cargo run --example flood`.

use process_pool::{ProcessPool, TaskError, Worker, child};
use std::{error::Error, num::NonZeroUsize, sync::Arc};
use tokio::{runtime::Runtime, task::JoinSet};

const TASKS: u64 = 100_000;
const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");
/// How many tasks may wait; the others wait to be submitted.
const WAITING: NonZeroUsize = NonZeroUsize::new(1_000).expect("it is not zero");

const DOUBLE: Worker<u64, u64> = Worker::new("double", |n| 2 * n);

fn main() -> Result<(), Box<dyn Error>> {
    // Before there is a runtime: workers need none.
    child::enter(&[&DOUBLE]);
    let builder = DOUBLE.pool_builder().workers(TWO).queue_limit(WAITING);
    let pool = Arc::new(builder.start()?);
    Runtime::new()?.block_on(flood(pool))
}

async fn flood(pool: Arc<ProcessPool<u64, u64>>) -> Result<(), Box<dyn Error>> {
    let mut callers = JoinSet::new();
    for n in 0..TASKS {
        let pool = Arc::clone(&pool);
        callers.spawn(async move {
            let task = pool.submit_async(n).await.cancel_on_drop();
            if n % 2 == 0 {
                Some((n, task.await))
            } else {
                None
            }
        });
    }
    let mut answers = 0;
    while let Some(caller) = callers.join_next().await {
        if let Some((n, outcome)) = caller? {
            let answer: Result<u64, TaskError> = outcome;
            assert_eq!(answer, Ok(2 * n));
            answers += 1;
        }
    }
    let ledger = pool.shutdown_async(None).await;
    assert!(ledger.balances() && ledger.submitted == TASKS, "{ledger:?}");
    assert_eq!(answers, TASKS / 2);
    println!(
        "{answers} answers; {} tasks were cancelled",
        ledger.cancelled
    );
    Ok(())
}
