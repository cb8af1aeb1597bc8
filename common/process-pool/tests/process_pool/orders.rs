//! Orders with several tasks: what becomes of the others when one of them goes wrong.

use crate::{
    crew::{CHORE, Chore, TRAP, square},
    support::{MeetingPoint, builder, check_at_rest, is_gone, pool, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{TaskError, child::Exit};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// So many that orders grow large; the traps lie far in.
const MANY: u64 = 200_000;

#[test]
fn a_task_that_ends_its_worker_takes_no_other_with_it() {
    watched(|| {
        let pool = pool(TRAP, 2);
        let outcomes = pool.map((0..MANY).map(|n| (n, n == 150_000 || n == 150_001)));
        for (n, outcome) in (0..MANY).zip(outcomes) {
            match outcome {
                Ok(square_of_n) => assert_eq!(square_of_n, square(n)),
                Err(TaskError::WorkerLost { exit, attempts, .. }) => {
                    assert!(n == 150_000 || n == 150_001, "{n}");
                    assert_eq!((exit, attempts), (Exit::Signal(9), 2));
                }
                Err(error) => panic!("{n}: {error}"),
            }
        }
        let ledger = pool.shutdown();
        assert_eq!(
            (ledger.submitted, ledger.done, ledger.failed),
            (MANY, MANY - 2, 2)
        );
        assert!(ledger.workers_lost >= 2, "{ledger:?}");
    });
}

#[test]
fn panics_among_many_tasks_come_back_at_their_places() {
    watched(|| {
        let pool = pool(CHORE, 2);
        let chore = |n: u64| match n % 5_000 {
            4_999 => Chore::Panic(n.to_string()),
            _ => Chore::Return,
        };
        let mut seen = 0;
        for (index, outcome) in pool.map_unordered((0..50_000).map(chore)) {
            seen += 1;
            match outcome {
                Err(TaskError::Panicked { message, .. }) => assert_eq!(message, index.to_string()),
                outcome => assert!(outcome.is_ok() && index % 5_000 != 4_999, "{index}"),
            }
        }
        assert_eq!(seen, 50_000);
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.failed, ledger.workers_lost), (10, 0));
    });
}

#[test]
fn workers_killed_at_random_lose_nothing_and_answer_nothing_twice() {
    watched(|| {
        let pool = builder(TRAP, 2)
            .retries(1_000)
            .start()
            .expect("the crew starts");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    for pid in pool.worker_ids() {
                        // It may be gone already.
                        let _ = signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
                    }
                    thread::sleep(Duration::from_millis(40));
                }
            });
            let mut answers = vec![0_u8; 4_000];
            for (index, outcome) in pool.map_unordered((0..4_000).map(|n| (n, false))) {
                assert_eq!(outcome, Ok(square(index as u64)));
                answers[index] += 1;
            }
            is_over.store(true, Ordering::SeqCst);
            assert!(answers.iter().all(|answers| *answers == 1));
        });
        let ledger = pool.shutdown();
        assert_eq!((ledger.submitted, ledger.done), (4_000, 4_000));
    });
}

#[test]
fn a_long_task_holds_none_back_that_came_in_the_same_order() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 2);
        let short = std::iter::repeat_n(Chore::Return, 50_000);
        let long = [point.chore(), point.chore()];
        let mut outcomes = pool.map_unordered(short.chain(long).chain([Chore::Return]));
        thread::scope(|scope| {
            let reader = scope.spawn(|| outcomes.by_ref().filter(|(_, end)| end.is_ok()).count());
            // Both run at once, wherever they were handed to.
            let met = [point.meet(), point.meet()];
            drop(met);
            assert_eq!(reader.join().expect("no panic"), 50_003);
        });
    });
}

#[test]
fn cancelling_one_of_many_ends_that_one_only() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        // Short ones first, so that the next order has several tasks.
        assert!(
            pool.map(vec![Chore::Return; 50_000])
                .iter()
                .all(Result::is_ok)
        );
        let tasks: Vec<_> = [Chore::Return, point.chore(), Chore::Return, Chore::Return]
            .map(|chore| pool.submit(chore))
            .into();
        let met = point.meet();
        assert!(tasks[1].cancel());
        let outcomes: Vec<_> = tasks.into_iter().map(|task| task.wait()).collect();
        assert_eq!(outcomes[1], Err(TaskError::Cancelled));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
        assert!(is_gone(met.pid));
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.cancelled, ledger.failed), (1, 0));
    });
}

#[test]
fn dropping_the_iterator_in_mid_run_leaves_the_books_in_order() {
    watched(|| {
        let pool = pool(TRAP, 2);
        let seen = pool
            .map_unordered((0..).map(|n| (n, false)))
            .take(100_000)
            .count();
        assert_eq!(seen, 100_000);
        let ledger = pool.shutdown();
        assert!(ledger.balances(), "{ledger:?}");
        assert!(ledger.done >= 100_000, "{ledger:?}");
    });
}

#[test]
fn what_an_order_gives_back_for_nobody_is_cancelled() {
    watched(|| {
        let pool = pool(CHORE, 1);
        // Short ones, so that the next come in one order.
        let warmed_up = pool.map(vec![Chore::Return; 20_000]);
        assert!(warmed_up.iter().all(Result::is_ok));
        let point = MeetingPoint::new();
        let unwanted = pool.map_unordered(vec![point.chore(); 150]);
        let met = point.meet();
        drop(unwanted);
        // In the queue, or in the order until the worker gives it back: none of them is begun.
        while pool.ledger().cancelled < 149 {
            thread::yield_now();
        }
        drop(met);
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.cancelled, ledger.done), (149, 20_002));
    });
}
