//! Both ways to end, for any number of items and consumers, and with consumers that panic.

use super::*;
use proptest::prelude::*;
use std::{panic, sync::mpsc};

type Running = fn(&Plan) -> io::Result<Record>;

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
pub(crate) fn under_watchdog<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (tx, rx) = mpsc::channel();
    let testing = thread::spawn(move || {
        let made = test();
        let _ = tx.send(());
        made
    });
    let ended = rx.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "it hangs");
    testing.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn run(way: Running, plan: &Plan) -> Record {
    let plan = plan.clone();
    under_watchdog(move || way(&plan).expect("threads start"))
}

/// As `main` does: the panic that is meant is no noise.
fn quietly() {
    process_pool::panics::keep_quiet(|info| info.payload().is::<BadItem>());
}

proptest! {
    // No shrinking: a case that hangs takes a minute each time.
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 0, ..Default::default() })]
    #[test]
    fn every_item_is_consumed_exactly_once(
        items in 0..60_u64,
        consumers in 1..=8_usize,
        capacity in 1..=8_usize,
    ) {
        for (way, sentinels) in WAYS.into_iter().zip([consumers as u64, 0]) {
            let record = run(way, &plan(items, consumers, capacity));
            prop_assert_eq!((record.missing, record.twice), (0, 0));
            prop_assert_eq!((record.put, record.done), (items, items));
            prop_assert_eq!((record.failed, record.cancelled), (0, 0));
            prop_assert_eq!(record.sentinels, sentinels, "one each");
            prop_assert_eq!(record.out_of_order, 0, "each consumer takes in the order of making");
            prop_assert!(record.peak_depth <= capacity);
            prop_assert_eq!(record.taken_by.iter().sum::<usize>() as u64, items);
        }
    }

    #[test]
    fn a_panic_hangs_nobody_and_its_item_is_accounted_for(
        items in 1..30_u64,
        bad in 1..30_u64,
        consumers in 1..=5_usize,
        capacity in 1..=3_usize,
    ) {
        quietly();
        let bad = bad.min(items);
        let plan = Plan { bad_item: Some(bad), ..plan(items, consumers, capacity) };
        for way in WAYS {
            let record = run(way, &plan);
            prop_assert_eq!(record.accounted, items);
            prop_assert_eq!(record.failed, 1);
            prop_assert_eq!(&record.panicked, &[bad]);
            let lost = record.handled.iter().find(|one| one.done_s.is_none());
            prop_assert_eq!(lost.map(|one| one.item), Some(bad));
            if consumers > 1 {
                prop_assert_eq!(record.done, items - 1, "the others take over");
            } else {
                prop_assert_eq!(record.done, bad - 1);
                prop_assert_eq!(record.cancelled, items - bad);
            }
        }
    }
}

#[test]
fn a_panic_that_is_not_meant_is_passed_on() {
    let panicked = panic::catch_unwind(|| {
        on_threads(
            &plan(5, 2, 1),
            |queue: Putting<u64>| while queue.put(1).is_ok() {},
            |queue| {
                let _ = queue.take();
                resume_unwind(Box::new(41));
            },
        )
    });
    let payload = panicked.map(|_| ()).expect_err("the consumers panic");
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
