//! Both ways to end, for any number of items and consumers, and with consumers that panic.

use super::*;
use proptest::prelude::*;
use std::{num::NonZeroUsize, panic, sync::mpsc, time::Duration};

type Running = fn(&Plan) -> Consumed;

const WAYS: [Running; 2] = [run_with_sentinels, run_until_closed];

fn plan(items: u64, consumers: usize, capacity: usize) -> Plan {
    let whole = |count| NonZeroUsize::new(count).expect("not zero");
    Plan {
        items,
        consumers: whole(consumers),
        capacity: whole(capacity),
        making: None,
        handling: Duration::ZERO..=Duration::from_micros(50),
        bad_item: None,
        seed: 7,
    }
}

/// Turns a hang into a failure.
fn run(way: Running, plan: &Plan) -> Consumed {
    let (plan, (tx, rx)) = (plan.clone(), mpsc::channel());
    thread::spawn(move || tx.send(way(&plan)));
    let ended = rx.recv_timeout(Duration::from_secs(60));
    ended.expect("it ends, and does not panic")
}

fn sorted(handled: &[Vec<u64>]) -> Vec<u64> {
    let mut all = handled.concat();
    all.sort_unstable();
    all
}

proptest! {
    // No shrinking: a case that hangs takes a minute each time.
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 0, ..Default::default() })]
    #[test]
    fn every_item_is_consumed_once_and_in_order_by_each(
        items in 0..60_u64,
        consumers in 1..=8_usize,
        capacity in 1..=8_usize,
    ) {
        for way in WAYS {
            let (handled, failed) = run(way, &plan(items, consumers, capacity));
            prop_assert_eq!(sorted(&handled), (1..=items).collect::<Vec<_>>());
            prop_assert!(handled.iter().all(|of_one| of_one.is_sorted()));
            prop_assert_eq!((handled.len(), failed), (consumers, vec![]));
        }
    }

    #[test]
    fn after_a_panic_the_others_do_the_rest_and_without_others_the_producer_stops(
        items in 1..30_u64,
        bad in 1..30_u64,
        consumers in 1..=5_usize,
        capacity in 1..=3_usize,
    ) {
        common::panics::keep_quiet(|info| info.payload().is::<BadItem>());
        let bad = bad.min(items);
        let plan = Plan { bad_item: Some(bad), ..plan(items, consumers, capacity) };
        for way in WAYS {
            let (handled, failed) = run(way, &plan);
            prop_assert_eq!(failed, [bad]);
            let last = if consumers > 1 { items } else { bad };
            let others: Vec<u64> = (1..=last).filter(|item| *item != bad).collect();
            prop_assert_eq!(sorted(&handled), others);
        }
    }
}

#[test]
fn a_panic_that_is_not_meant_is_passed_on() {
    let panicked = panic::catch_unwind(|| {
        thread::scope(|scope| {
            let consumer = scope.spawn(|| resume_unwind(Box::new(41)));
            join(vec![consumer], scope.spawn(|| ()))
        })
    });
    let payload = panicked.expect_err("the consumer panics");
    assert_eq!(payload.downcast_ref(), Some(&41));
}

#[test]
fn a_seed_settles_every_pause_within_its_range() {
    let range = Duration::from_millis(10)..=Duration::from_millis(50);
    let plan = Plan {
        making: Some(range.clone()),
        handling: range.clone(),
        ..plan(100, 1, 1)
    };
    let same = plan.clone();
    for item in 1..=100 {
        assert_eq!(plan.making(item), same.making(item));
        assert!(range.contains(&plan.making(item)) && range.contains(&plan.handling(item)));
    }
    assert_ne!(plan.making(1), plan.handling(1));
}
