use super::{
    pipeline::{
        Outcome, Work, run_beside_hog, run_beside_polite_task, run_pipeline, stop_at_once,
        stop_gracefully,
    },
    *,
};
use measure::workload::{Seeded, mix};
use proptest::prelude::*;
use std::{sync::mpsc as blocking, thread};

fn plan(count: usize, queue: usize, consumers: usize, seed: u64) -> Plan {
    let longest = Duration::from_millis(50);
    let items = (1..=count as u64).map(|number| Item {
        number,
        takes: Seeded::for_item(seed, number).duration(Duration::ZERO..longest),
        is_poisonous: false,
    });
    Plan {
        items: items.collect(),
        makes: Duration::from_millis(seed % 20),
        capacity: queue,
        consumers: NonZeroUsize::new(consumers).expect("the tests count from one"),
    }
}

/// Runs it in paused time, under a watchdog: a hang is a failure with a name.
fn run<F>(future: impl FnOnce() -> F + Send + 'static) -> (F::Output, Duration)
where
    F: Future<Output: Send + 'static>,
{
    let (tx, rx) = blocking::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        tx.send(runtime.expect("a runtime starts").block_on(async {
            let started = time::Instant::now();
            (future().await, started.elapsed())
        }))
    });
    rx.recv_timeout(Duration::from_secs(60))
        .expect("it panicked, or it hangs")
}

fn numbers(outcome: &Outcome) -> Vec<u64> {
    let mut numbers = outcome.finished.clone();
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_item_is_finished_once_whatever_the_queue_and_the_consumers() {
    for count in [0, 1, 3, 200] {
        for consumers in 1..=8 {
            for queue in [1, 10, UNBOUNDED] {
                let (outcome, _) = run(move || run_pipeline(plan(count, queue, consumers, 7)));
                assert!(numbers(&outcome).into_iter().eq(1..=count as u64));
            }
        }
    }
}

#[test]
fn one_consumer_keeps_the_order() {
    let (outcome, _) = run(|| run_pipeline(plan(50, 3, 1, 1)));
    assert!(outcome.finished.into_iter().eq(1..=50));
}

#[test]
fn several_consumers_work_at_once() {
    let hour = Duration::from_secs(3600);
    let mut plan = plan(4, 4, 4, 0);
    for item in &mut plan.items {
        item.takes = hour;
    }
    // A lock held during the work would make it four hours.
    let (_, took) = run(|| run_pipeline(plan));
    assert!(took < 2 * hour, "{took:?}");
}

#[test]
fn a_panic_costs_one_item_while_another_consumer_lives() {
    for (poisoned, consumers) in [(1, 2), (5, 3), (20, 2)] {
        let mut plan = plan(20, 4, consumers, 3);
        plan.items[poisoned - 1].is_poisonous = true;
        let (outcome, _) = run(|| run_pipeline(plan));
        assert_eq!(outcome.panics.len(), 1);
        assert!(outcome.panics[0].contains(&format!("item {poisoned} is poisonous")));
        let others = (1..=20).filter(|number| *number != poisoned as u64);
        assert!(numbers(&outcome).into_iter().eq(others));
    }
}

#[test]
fn when_the_last_consumer_panics_the_run_ends() {
    for capacity in [1, 4, UNBOUNDED] {
        let mut plan = plan(30, capacity, 1, 0);
        plan.items[4].is_poisonous = true;
        let (outcome, _) = run(|| run_pipeline(plan));
        assert_eq!(
            (numbers(&outcome), outcome.panics.len()),
            (vec![1, 2, 3, 4], 1)
        );
    }
}

#[test]
fn both_ways_to_compute_give_the_same_and_let_the_pipeline_finish() {
    let work = Work {
        pieces: 50,
        steps: 1000,
        after: 3,
    };
    let expected = (0..50).fold(0, |value, _| mix(value, 1000));
    let (hog, _) = run(move || run_beside_hog(plan(20, 4, 2, 3), work));
    let (polite, _) = run(move || run_beside_polite_task(plan(20, 4, 2, 3), work));
    for (outcome, value) in [hog, polite] {
        assert_eq!((numbers(&outcome).len(), value), (20, expected));
    }
}

proptest! {
    #[test]
    fn a_graceful_stop_finishes_a_whole_beginning(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let (plan, after) = (plan(count, queue, consumers, seed), after.min(count));
        let (outcome, _) = run(move || stop_gracefully(plan, after));
        prop_assert!(outcome.finished.len() >= after);
        prop_assert!(numbers(&outcome).into_iter().eq(1..=outcome.finished.len() as u64));
    }

    #[test]
    fn an_abrupt_stop_finishes_no_item_twice(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let (plan, after) = (plan(count, queue, consumers, seed), after.min(count));
        let (outcome, _) = run(move || stop_at_once(plan, after));
        prop_assert!(outcome.finished.len() >= after);
        prop_assert!(numbers(&outcome).is_sorted_by(|a, b| a < b));
    }
}
