//! The two orders of hand-out with real worker processes.

use basics_1_multiprocess::{
    SUM, SumPool, Summed, sum_in_order, sum_longest_first, sum_sequential,
};
use process_pool::child::Program;
use std::num::NonZeroUsize;
use testing::assert_nothing_left_behind;

const BINARY: &str = env!("CARGO_BIN_EXE_basics-1-multiprocess");

fn pool(workers: usize) -> SumPool {
    let workers = NonZeroUsize::new(workers).expect("a pool has a worker");
    let builder = SUM.pool_builder().workers(workers);
    builder
        .program(Program::at(BINARY))
        .start()
        .expect("workers start")
}

fn jobs() -> [Vec<u64>; 5] {
    [
        vec![],
        vec![7],
        vec![100, 200, 300, 400],
        // Equal sizes, zero, and neither ascending nor descending.
        vec![5, 900, 0, 5, 31, 900, 2],
        (0..200).map(|n| n * 7919 % 211).collect(),
    ]
}

#[test]
fn whatever_the_order_of_hand_out_sums_come_back_in_the_order_of_the_jobs() {
    for workers in 1..=8 {
        let pool = pool(workers);
        for jobs in jobs() {
            let expected: Vec<Summed> = sum_sequential(&jobs).into_iter().map(Ok).collect();
            assert_eq!(sum_in_order(&pool, &jobs), expected, "{workers} workers");
            assert_eq!(
                sum_longest_first(&pool, &jobs),
                expected,
                "{workers} workers"
            );
        }
        let ledger = pool.shutdown(None);
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!(ledger.done, 2 * (1 + 4 + 7 + 200));
        assert_eq!((ledger.failed, ledger.retried), (0, 0));
    }
    assert_nothing_left_behind(BINARY);
}
