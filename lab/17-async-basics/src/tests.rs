use super::*;
use std::sync::mpsc;

/// Calls that meet: with fewer under way at once they would wait for ever, in real time.
const LONG: Duration = Duration::from_secs(3600);

fn calls(count: usize, takes: Duration) -> (Vec<Call>, Arc<Gauge>) {
    let gauge = Arc::new(Gauge::default());
    let calls = (1..=count).map(|number| Call {
        number,
        takes,
        gauge: Arc::clone(&gauge),
    });
    (calls.collect(), gauge)
}

fn numbers(answers: &[Answer]) -> Vec<usize> {
    answers.iter().map(|answer| answer.number).collect()
}

#[tokio::test(start_paused = true)]
async fn every_way_brings_each_answer_once_in_the_order_of_the_calls() {
    for count in [0, 1, 3, 200] {
        let expected: Vec<usize> = (1..=count).collect();
        let (each, gauge) = calls(count, LONG);
        assert_eq!(numbers(&await_in_a_loop(each).await), expected);
        assert_eq!((gauge.begun(), gauge.peak()), (count, count.min(1)));
        let (each, gauge) = calls(count, LONG);
        assert_eq!(numbers(&join_in_one_task(each).await), expected);
        assert_eq!((gauge.begun(), gauge.peak()), (count, count));
        let (each, gauge) = calls(count, LONG);
        assert_eq!(numbers(&spawn_each(each).await), expected);
        assert_eq!((gauge.begun(), gauge.peak()), (count, count));
        let (each, gauge) = calls(count.min(20), Duration::ZERO);
        let answers = spawn_blocking_each(each).await;
        assert_eq!(numbers(&answers), expected[..count.min(20)]);
        assert_eq!(gauge.begun(), count.min(20));
    }
}

#[tokio::test(start_paused = true)]
async fn the_loop_takes_the_sum_of_the_waits_and_the_others_one() {
    let started = time::Instant::now();
    await_in_a_loop(calls(5, LONG).0).await;
    assert!(started.elapsed() >= 5 * LONG);
    let started = time::Instant::now();
    join_in_one_task(calls(5, LONG).0).await;
    spawn_each(calls(5, LONG).0).await;
    // Paused time moves only by what is waited for, to the timer's millisecond.
    assert!(started.elapsed() < 3 * LONG, "{:?}", started.elapsed());
}

#[test]
fn all_but_the_blocking_calls_stay_on_the_thread_of_the_runtime() {
    let here = thread::current().id();
    let run = |answers: io::Result<Vec<Answer>>| answers.expect("a runtime starts");
    let takes = Duration::from_millis(1);
    for answers in [
        run(run_on_this_thread(await_in_a_loop(calls(4, takes).0))),
        run(run_on_this_thread(join_in_one_task(calls(4, takes).0))),
        run(run_on_this_thread(spawn_each(calls(4, takes).0))),
    ] {
        assert!(answers.iter().all(|answer| answer.thread == here));
    }
    let answers = run(run_on_this_thread(spawn_blocking_each(calls(4, takes).0)));
    assert!(answers.iter().all(|answer| answer.thread != here));
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_before_it_is_awaited_or_spawned() {
    for count in [1, 2, 300] {
        let expected = Begun {
            made: count,
            when_made: 0,
            when_one_awaited: 1,
            when_others_spawned: count,
        };
        assert_eq!(count_begun(calls(count, LONG).0).await, expected);
    }
    assert_eq!(count_begun(Vec::new()).await.made, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_takes_its_tasks_along() {
    let (each, gauge) = calls(3, LONG);
    let dropped = time::timeout(Duration::from_secs(1), spawn_each(each)).await;
    assert!(dropped.is_err());
    tokio::task::yield_now().await;
    assert_eq!((gauge.begun(), Arc::strong_count(&gauge)), (3, 1));
}

#[test]
fn a_panic_in_a_task_is_passed_on() {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let panicked = std::panic::catch_unwind(|| {
            run_on_this_thread(async {
                let mut tasks = JoinSet::new();
                tasks.spawn(async { std::panic::resume_unwind(Box::new(41)) });
                in_order(tasks).await
            })
        });
        tx.send(
            panicked
                .err()
                .and_then(|payload| payload.downcast_ref().copied()),
        )
    });
    let payload: Option<i32> = rx.recv_timeout(Duration::from_secs(60)).expect("it hangs");
    assert_eq!(payload, Some(41));
}
