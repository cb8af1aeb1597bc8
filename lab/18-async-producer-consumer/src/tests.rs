use super::{
    hog::{Work, run_beside_hog, run_beside_polite_task},
    shutdown::{stop_at_once, stop_gracefully},
    *,
};
use measure::workload::{Seeded, mix};
use proptest::prelude::*;
use std::{sync::mpsc, thread};

fn items(count: usize, seed: u64) -> Vec<Item> {
    let longest = Duration::from_millis(50);
    (1..=count as u64)
        .map(|number| Item {
            number,
            takes: Seeded::for_item(seed, number).duration(Duration::ZERO..longest),
            kind: Kind::Harmless,
        })
        .collect()
}

fn plan(count: usize, queue: usize, consumers: usize, seed: u64) -> Plan {
    let not_zero = |count| NonZeroUsize::new(count).expect("the tests count from one");
    Plan {
        items: items(count, seed),
        makes: Duration::from_millis(seed % 20),
        capacity: Capacity::Bounded(not_zero(queue)),
        consumers: not_zero(consumers),
    }
}

/// Runs it in paused time, under a watchdog: a hang is a failure with a name.
fn run<F>(future: impl FnOnce() -> F + Send + 'static) -> F::Output
where
    F: Future<Output: Send + 'static>,
{
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        tx.send(runtime.expect("a runtime starts").block_on(future()))
    });
    rx.recv_timeout(Duration::from_secs(60))
        .expect("it panicked, or it hangs")
}

fn numbers(entries: &Entries) -> Vec<u64> {
    let mut numbers: Vec<u64> = entries.finished.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_item_is_finished_once_whatever_the_queue_and_the_consumers() {
    for count in [0, 1, 3, 200] {
        for consumers in 1..=8 {
            for queue in [1, 10, 1000] {
                let bounded = plan(count, queue, consumers, 7);
                let unbounded = Plan {
                    capacity: Capacity::Unbounded,
                    ..bounded.clone()
                };
                for plan in [bounded, unbounded] {
                    let entries = run(|| run_pipeline(plan));
                    assert!(numbers(&entries).into_iter().eq(1..=count as u64));
                    assert_eq!(entries.left_in_queue() + entries.left_in_hand(), 0);
                }
            }
        }
    }
}

#[test]
fn one_consumer_keeps_the_order() {
    let entries = run(|| run_pipeline(plan(50, 3, 1, 1)));
    assert!(
        entries
            .finished
            .iter()
            .map(|(number, _)| *number)
            .eq(1..=50)
    );
}

#[test]
fn a_full_queue_holds_the_producer_back_and_an_unbounded_one_grows() {
    let mut bounded = plan(40, 5, 1, 0);
    for item in &mut bounded.items {
        item.takes = Duration::from_millis(10);
    }
    let unbounded = Plan {
        capacity: Capacity::Unbounded,
        ..bounded.clone()
    };
    let entries = run(|| run_pipeline(bounded));
    assert_eq!(entries.peak_depth(), 5);
    // Five fit at once; each of the others finds the queue full.
    assert_eq!(entries.found_full, 35);
    assert!(entries.blocked >= Duration::from_millis(340), "{entries:?}");
    let entries = run(|| run_pipeline(unbounded));
    assert_eq!((entries.found_full, entries.blocked), (0, Duration::ZERO));
    assert!(entries.peak_depth() >= 39, "{}", entries.peak_depth());
}

#[test]
fn several_consumers_work_at_once() {
    let hour = Duration::from_secs(3600);
    let mut plan = plan(4, 4, 4, 0);
    for item in &mut plan.items {
        item.takes = hour;
    }
    let entries = run(|| run_pipeline(plan));
    let last = entries.finished.last().expect("four items").1;
    // A lock held during the work would make it four hours.
    assert!(last < 2 * hour, "{last:?}");
}

#[test]
fn a_panic_costs_one_item_while_another_consumer_lives() {
    for (poisoned, consumers) in [(1, 2), (5, 3), (20, 2)] {
        let mut plan = plan(20, 4, consumers, 3);
        plan.items[poisoned - 1].kind = Kind::Poisonous;
        let entries = run(|| run_pipeline(plan));
        assert_eq!(entries.panics, [format!("item {poisoned} is poisonous")]);
        assert_eq!((entries.accepted, entries.left_in_hand()), (20, 1));
        assert!(!numbers(&entries).contains(&(poisoned as u64)));
        assert_eq!((numbers(&entries).len(), entries.left_in_queue()), (19, 0));
    }
}

#[test]
fn when_the_last_consumer_panics_the_producer_is_told_and_the_run_ends() {
    for capacity in [1, 4, 1000] {
        let mut plan = plan(30, capacity, 1, 0);
        plan.items[4].kind = Kind::Poisonous;
        let entries = run(|| run_pipeline(plan));
        assert_eq!(numbers(&entries), [1, 2, 3, 4]);
        assert_eq!((entries.panics.len(), entries.left_in_hand()), (1, 1));
        assert!(entries.accepted <= 30);
        assert_eq!(entries.left_in_queue(), entries.accepted - 5);
    }
}

#[test]
fn nobody_finishes_anything_beside_a_task_that_never_yields() {
    let work = Work {
        pieces: 50,
        steps: 1000,
        after: 3,
    };
    let value = (0..50).fold(0, |value, _| mix(value, 1000));
    let beside = run(move || run_beside_hog(plan(20, 4, 2, 3), work));
    assert_eq!(beside.finished_meanwhile, 0);
    assert_eq!((numbers(&beside.entries).len(), beside.value), (20, value));
}

#[test]
fn others_go_on_beside_a_task_that_yields() {
    // In real time, for paused time stands still while anybody computes. An item takes a tick of
    // the timer, a millisecond; the work takes many, on any machine.
    let mut plan = plan(200, 4, 2, 0);
    for item in &mut plan.items {
        item.takes = Duration::ZERO;
    }
    let work = Work {
        pieces: 500,
        steps: 100_000,
        after: 3,
    };
    let beside = run_on_this_thread(run_beside_polite_task(plan, work)).expect("it starts");
    assert!(beside.finished_meanwhile > 0);
    assert_eq!(numbers(&beside.entries).len(), 200);
    assert_eq!(
        beside.value,
        (0..500).fold(0, |value, _| mix(value, 100_000))
    );
}

proptest! {
    #[test]
    fn the_queue_never_holds_more_than_its_bound(
        count in 0..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64
    ) {
        let entries = run(move || run_pipeline(plan(count, queue, consumers, seed)));
        prop_assert!(entries.peak_depth() <= queue);
        prop_assert!(numbers(&entries).into_iter().eq(1..=count as u64));
        prop_assert_eq!(entries.depths.len(), 2 * count);
    }

    #[test]
    fn a_graceful_stop_finishes_whatever_was_accepted(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let plan = plan(count, queue, consumers, seed);
        let after = after.min(count);
        let entries = run(move || stop_gracefully(plan, after));
        prop_assert!(entries.finished.len() >= after);
        prop_assert_eq!(entries.finished.len(), entries.accepted);
        prop_assert!(numbers(&entries).into_iter().eq(1..=entries.accepted as u64));
    }

    #[test]
    fn an_abrupt_stop_is_booked_to_the_last_item(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let plan = plan(count, queue, consumers, seed);
        let after = after.min(count);
        let entries = run(move || stop_at_once(plan, after));
        let lost = entries.left_in_queue() + entries.left_in_hand();
        prop_assert_eq!(entries.finished.len() + lost, entries.accepted);
        prop_assert!(entries.left_in_hand() <= consumers);
        prop_assert!(numbers(&entries).is_sorted_by(|a, b| a < b));
    }
}
