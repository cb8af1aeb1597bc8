use super::{
    abort::abort_in_the_middle,
    cancellation::{Received, exchange, receive_keeping, receive_losing},
    *,
};
use proptest::prelude::*;

/// Calls that meet: one after another they would take days, in paused time.
const LONG: Duration = Duration::from_secs(3600);

fn sorted(mut answers: Vec<usize>) -> Vec<usize> {
    answers.sort_unstable();
    answers
}

#[tokio::test(start_paused = true)]
async fn every_way_brings_each_answer_once() {
    for count in [0, 1, 3, 200] {
        let expected: Vec<usize> = (1..=count).collect();
        assert_eq!(await_in_a_loop(count, LONG).await, expected);
        assert_eq!(join_in_one_task(count, LONG).await, expected);
        assert_eq!(sorted(spawn_each(count, LONG).await), expected);
        let few = count.min(20);
        let answers = spawn_blocking_each(few, Duration::ZERO).await;
        assert_eq!(sorted(answers), expected[..few]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_loop_takes_the_sum_of_the_waits_and_the_others_one() {
    let started = time::Instant::now();
    await_in_a_loop(5, LONG).await;
    assert!(started.elapsed() >= 5 * LONG);
    let started = time::Instant::now();
    join_in_one_task(5, LONG).await;
    spawn_each(5, LONG).await;
    // Paused time moves only by what is waited for, to the timer's millisecond.
    assert!(started.elapsed() < 3 * LONG, "{:?}", started.elapsed());
}

#[tokio::test]
async fn nothing_begins_before_it_is_awaited_or_spawned() {
    for count in [1, 2, 300] {
        assert_eq!(count_begun(count).await, [0, 1, count]);
    }
    assert_eq!(count_begun(0).await, [0, 0, 0]);
}

#[test]
fn aborted_tasks_end_at_their_await_and_aborted_calls_run_on() {
    for count in [0, 1, 7] {
        let ended = run_on_this_thread(abort_in_the_middle(count));
        assert_eq!(ended, [0, count]);
    }
}

/// Runs it in paused time, which leaps from pause to pause.
fn run(reading: impl Future<Output = Received>) -> Received {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime starts");
    runtime.block_on(reading)
}

fn losing(messages: u64, every: u64) -> Received {
    run(exchange(messages, every, receive_losing))
}

fn keeping(messages: u64, every: u64) -> Received {
    run(exchange(messages, every, receive_keeping))
}

#[test]
fn half_a_message_dropped_shifts_all_that_follow() {
    // A heartbeat after the third half: half of message 2 is in the dropped read.
    let received = losing(4, 3);
    // The sixth half is in the second read that is dropped, and the frames are right again.
    assert_eq!(received.0, [1, 2 << 32, 4]);
    assert_eq!(received.1, 2);
}

#[test]
fn a_heartbeat_between_messages_costs_nothing() {
    assert_eq!(losing(5, 2).0, [1, 2, 3, 4, 5]);
    assert_eq!(losing(0, 1), Received::default());
}

proptest! {
    #[test]
    fn what_is_kept_outside_the_future_is_never_lost(messages in 0..60_u64, every in 1..20_u64) {
        let received = keeping(messages, every);
        prop_assert!(received.0.iter().copied().eq(1..=messages));
        // The end and a heartbeat after the last half may come together.
        let last = 2 * messages / every;
        let first = (2 * messages).saturating_sub(1) / every;
        prop_assert!((first..=last).contains(&(received.1 as u64)));
    }

    #[test]
    fn the_losing_reader_hands_on_no_message_twice(messages in 0..60_u64, every in 1..20_u64) {
        let received = losing(messages, every);
        let right = received.0.iter().filter(|&&number| number <= messages);
        prop_assert!(right.is_sorted_by(|a, b| a < b));
        prop_assert!(received.0.len() as u64 <= messages);
    }
}
