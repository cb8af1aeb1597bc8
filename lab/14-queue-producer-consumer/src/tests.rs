//! Both ways to end, for any number of items and consumers, and with consumers that panic.

use super::*;
use proptest::prelude::*;
use std::sync::mpsc;

type Running = fn(&[Item], usize, usize) -> Consumed;

const WAYS: [Running; 2] = [run_with_sentinels, run_until_closed];

fn items(count: u64) -> Vec<Item> {
    let item = |number| Item {
        number,
        makes: Duration::ZERO,
        takes: Duration::from_micros(number % 50),
        is_bad: false,
    };
    (1..=count).map(item).collect()
}

/// Turns a hang into a failure.
fn run(way: Running, items: &[Item], consumers: usize, capacity: usize) -> Consumed {
    let (items, (tx, rx)) = (items.to_vec(), mpsc::channel());
    thread::spawn(move || tx.send(way(&items, consumers, capacity)));
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
        count in 0..60_u64,
        consumers in 1..=8_usize,
        capacity in 1..=8_usize,
    ) {
        for way in WAYS {
            let (handled, panics) = run(way, &items(count), consumers, capacity);
            prop_assert_eq!(sorted(&handled), (1..=count).collect::<Vec<_>>());
            prop_assert!(handled.iter().all(|of_one| of_one.is_sorted()));
            prop_assert_eq!((handled.len(), panics), (consumers, 0));
        }
    }

    #[test]
    fn after_a_panic_the_others_do_the_rest_and_without_others_the_producer_stops(
        count in 1..30_u64,
        bad in 1..30_u64,
        consumers in 1..=5_usize,
        capacity in 1..=3_usize,
    ) {
        common::panics::keep_quiet(|info| info.payload().is::<BadItem>());
        let bad = bad.min(count);
        let mut items = items(count);
        items[bad as usize - 1].is_bad = true;
        for way in WAYS {
            let (handled, panics) = run(way, &items, consumers, capacity);
            prop_assert_eq!(panics, 1);
            let last = if consumers > 1 { count } else { bad };
            let others: Vec<u64> = (1..=last).filter(|number| *number != bad).collect();
            prop_assert_eq!(sorted(&handled), others);
        }
    }
}
