//! The orders of a counter.

use crate::{Race, Turn, explore, failing};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

/// Threads that add one in two steps.
pub(crate) fn counter(threads: usize, increments: usize) -> Race<AtomicI64> {
    let add = move |counter: &AtomicI64, _, turn: Turn<'_>| {
        for _ in 0..increments {
            turn("loads");
            let seen = counter.load(SeqCst);
            turn("stores");
            counter.store(seen + 1, SeqCst);
        }
    };
    Race {
        threads,
        share: || AtomicI64::new(0),
        run: Box::new(add),
        value: |counter, _| counter.load(SeqCst),
        result: |counter| counter.load(SeqCst),
        expected: (threads * increments) as i64,
    }
}

#[test]
fn every_order_is_tried_once() {
    for (threads, increments, orders) in [(1, 1, 1), (2, 1, 6), (2, 2, 70), (3, 1, 90)] {
        let mut runs = explore(&counter(threads, increments));
        assert!(runs.is_sorted());
        runs.dedup();
        assert_eq!(runs.len(), orders);
    }
}

#[test]
fn four_of_six_orders_lose_an_update() {
    let explored = explore(&counter(2, 1));
    let failing = failing(&explored).map(|one| one.schedule.to_string());
    let failing: Vec<String> = failing.collect();
    assert_eq!(failing, ["ABAB", "ABBA", "BAAB", "BABA"]);
}
