use super::*;
use measure::workload::Seeded;
use proptest::prelude::*;
use std::{sync::mpsc as blocking, thread};
use tokio::{runtime::Builder, sync::Semaphore};

fn plan(count: usize, capacity: usize, consumers: usize, seed: u64) -> Plan {
    let longest = Duration::from_millis(50);
    let takes = |number| Seeded::for_item(seed, number).duration(Duration::ZERO..longest);
    Plan {
        items: (1..=count as u64).map(takes).collect(),
        makes: Duration::from_millis(seed % 20),
        capacity,
        consumers,
    }
}

/// Runs it in paused time, under a watchdog: a hang is a failure with a name.
fn run<F>(future: impl FnOnce() -> F + Send + 'static) -> (F::Output, Duration)
where
    F: Future<Output: Send + 'static>,
{
    let (tx, rx) = blocking::channel();
    thread::spawn(move || {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        tx.send(runtime.expect("a runtime starts").block_on(async {
            let started = time::Instant::now();
            (future().await, started.elapsed())
        }))
    });
    rx.recv_timeout(Duration::from_secs(60))
        .expect("it panicked, or it hangs")
}

fn finished(plan: Plan) -> (Vec<u64>, Duration) {
    run(|| async { Pipeline::start(plan).finish().await })
}

/// Stops it when `after` items are finished.
fn stopped(plan: Plan, after: usize, stop: fn(&mut Pipeline)) -> Vec<u64> {
    let stopped = run(move || async move {
        let mut pipeline = Pipeline::start(plan);
        pipeline.until_finished(after).await;
        stop(&mut pipeline);
        pipeline.finish().await
    });
    stopped.0
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_item_is_finished_once_whatever_the_queue_and_the_consumers() {
    for count in [0, 1, 3, 200] {
        for consumers in 1..=8 {
            for capacity in [1, 10, Semaphore::MAX_PERMITS] {
                let (numbers, _) = finished(plan(count, capacity, consumers, 7));
                assert!(sorted(numbers).into_iter().eq(1..=count as u64));
            }
        }
    }
}

#[test]
fn one_consumer_keeps_the_order() {
    let (numbers, _) = finished(plan(50, 3, 1, 1));
    assert!(numbers.into_iter().eq(1..=50));
}

#[test]
fn several_consumers_work_at_once() {
    let hour = Duration::from_secs(3600);
    let items = vec![hour; 4];
    // A lock held during the work would make it four hours.
    let (_, took) = finished(Plan {
        items,
        ..plan(0, 4, 4, 0)
    });
    assert!(took < 2 * hour, "{took:?}");
}

#[test]
fn beside_both_ways_to_compute_the_pipeline_finishes() {
    let beside = |polite| {
        run(move || async move {
            let mut pipeline = Pipeline::start(plan(20, 4, 2, 3));
            pipeline.until_finished(3).await;
            match polite {
                true => pipeline.tasks.spawn(compute_yielding(50, 1000)),
                false => pipeline.tasks.spawn(compute_in_one_go(50, 1000)),
            };
            pipeline.finish().await
        })
    };
    for polite in [true, false] {
        assert!(sorted(beside(polite).0).into_iter().eq(1..=20));
    }
}

proptest! {
    #[test]
    fn a_graceful_stop_finishes_a_whole_beginning(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let (plan, after) = (plan(count, queue, consumers, seed), after.min(count));
        let numbers = stopped(plan, after, Pipeline::stop_gracefully);
        let count = numbers.len();
        prop_assert!(count >= after);
        prop_assert!(sorted(numbers).into_iter().eq(1..=count as u64));
    }

    #[test]
    fn an_abrupt_stop_finishes_no_item_twice(
        count in 1..80_usize, queue in 1..12_usize, consumers in 1..6_usize, seed in 0..1000_u64,
        after in 1..80_usize
    ) {
        let (plan, after) = (plan(count, queue, consumers, seed), after.min(count));
        let numbers = stopped(plan, after, Pipeline::stop_at_once);
        prop_assert!(numbers.len() >= after);
        prop_assert!(sorted(numbers).is_sorted_by(|a, b| a < b));
    }
}
