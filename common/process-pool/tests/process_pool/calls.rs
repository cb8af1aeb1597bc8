//! Calls: one task, and a thread that waits for it.

use crate::{
    functions::{CHORE, Chore, PICKY, Picky, SQUARE, square},
    support::{
        MeetingPoint, builder, check_at_rest, count, is_gone, pool, wait_until_dead, watched,
    },
};
use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{ProcessPool, TaskError, child::Exit};
use std::{
    panic::{self, AssertUnwindSafe},
    thread,
    time::Duration,
};

#[test]
fn calls_from_many_threads_equal_the_sequential_oracle_beside_other_tasks() {
    for workers in 1..=4 {
        watched(move || {
            let pool = pool(SQUARE, workers);
            thread::scope(|scope| {
                for caller in 0..6_u64 {
                    let pool = &pool;
                    scope.spawn(move || {
                        for n in caller * 100..caller * 100 + 100 {
                            assert_eq!(pool.call(n), Ok(square(n)));
                        }
                    });
                }
                let results = pool.map(0..5_000);
                let expected: Vec<_> = (0..5_000).map(square).map(Ok).collect();
                assert_eq!(results, expected);
            });
            let ledger = pool.shutdown(None);
            assert_eq!((ledger.submitted, ledger.done), (5_600, 5_600));
            assert_eq!(ledger.workers_started, workers as u64);
        });
    }
}

#[test]
fn a_call_takes_an_idle_worker_and_leaves_the_others() {
    watched(|| {
        let pool = pool(CHORE, 2);
        let point = MeetingPoint::new();
        thread::scope(|scope| {
            let call = scope.spawn(|| pool.call(point.chore()));
            let met = point.meet();
            let other = pool.submit(Chore::Return).wait().expect("the other worker");
            assert_ne!(other, met.pid);
            let again = pool.call(Chore::Return).expect("and once more");
            assert_eq!(again, other);
            let pid = met.pid;
            drop(met);
            assert_eq!(call.join().expect("it returns"), Ok(pid));
        });
        check_at_rest(&pool);
    });
}

#[test]
fn what_waited_while_the_only_worker_had_a_call_is_done_afterwards() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let point = MeetingPoint::new();
        thread::scope(|scope| {
            let call = scope.spawn(|| pool.call(point.chore()));
            let met = point.meet();
            let waiting = [(); 3].map(|()| pool.submit(Chore::Return));
            let second_call = scope.spawn(|| pool.call(Chore::Return));
            let pid = met.pid;
            drop(met);
            assert_eq!(call.join().expect("it returns"), Ok(pid));
            for task in waiting {
                assert_eq!(task.wait(), Ok(pid));
            }
            assert_eq!(second_call.join().expect("it returns"), Ok(pid));
        });
        assert_eq!(check_at_rest(&pool).workers_started, 1);
    });
}

#[test]
fn a_call_that_loses_its_worker_is_retried_and_then_reported() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let point = MeetingPoint::new();
        thread::scope(|scope| {
            let call = scope.spawn(|| pool.call(point.chore()));
            point.meet().kill();
            let second = point.meet();
            let pid = second.pid;
            drop(second);
            assert_eq!(call.join().expect("it returns"), Ok(pid));
        });
        let outcome = pool.call(Chore::Exit(3));
        let Err(TaskError::WorkerLost {
            pid,
            exit: Exit::Code(3),
            attempts: 2,
        }) = outcome
        else {
            panic!("{outcome:?}");
        };
        assert!(is_gone(pid));
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.retried, ledger.workers_lost), (2, 3));
    });
}

#[test]
fn a_call_past_its_limit_is_ended() {
    watched(|| {
        let limit = Duration::from_millis(30);
        let pool = builder(CHORE, 1)
            .timeout(limit)
            .start()
            .expect("the pool starts");
        let point = MeetingPoint::new();
        let before = pool.worker_ids();
        let outcome = pool.call(point.chore());
        let pid = before[0];
        assert_eq!(outcome, Err(TaskError::TimedOut { pid, limit }));
        assert!(is_gone(pid));
        check_at_rest(&pool);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_worker_that_was_killed_costs_a_call_no_attempt() {
    watched(|| {
        let pool = builder(CHORE, 2)
            .retries(0)
            .start()
            .expect("the pool starts");
        for _ in 0..5 {
            let before = pool.worker_ids();
            for pid in &before {
                let pid = Pid::from_raw(pid.cast_signed());
                // One that died in the round before may not have been missed yet.
                match signal::kill(pid, Signal::SIGKILL) {
                    Ok(()) => wait_until_dead(pid),
                    Err(error) => assert_eq!(error, Errno::ESRCH),
                }
            }
            let pid = pool.call(Chore::Return).expect("a new worker does it");
            assert!(!before.contains(&pid));
        }
        assert_eq!(check_at_rest(&pool).failed, 0);
    });
}

#[test]
fn a_call_comes_back_with_what_went_wrong() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let outcome = pool.call(Chore::Panic("on purpose".into()));
        assert!(
            matches!(&outcome, Err(TaskError::Panicked { message, .. }) if message == "on purpose"),
            "{outcome:?}"
        );
        assert_eq!(check_at_rest(&pool).workers_lost, 0);
        let picky = builder(PICKY, 1)
            .queue_limit(count(1))
            .start()
            .expect("the pool starts");
        let outcome = picky.call(Picky(13));
        assert!(
            matches!(&outcome, Err(TaskError::Input(reason)) if reason.contains("be decoded")),
            "{outcome:?}"
        );
        assert_eq!(picky.call(Picky(1)), Ok(1));
        assert!(picky.shutdown(None).balances());
    });
}

#[test]
fn a_call_made_while_a_panic_unwinds_costs_no_worker() {
    struct CallsInTheEnd<'a>(&'a ProcessPool<u64, u128>);
    impl Drop for CallsInTheEnd<'_> {
        fn drop(&mut self) {
            assert_eq!(self.0.call(3), Ok(9));
        }
    }
    watched(|| {
        let pool = pool(SQUARE, 1);
        let workers = pool.worker_ids();
        let unwound = panic::catch_unwind(AssertUnwindSafe(|| {
            let _calls = CallsInTheEnd(&pool);
            panic!("on purpose");
        }));
        assert!(unwound.is_err());
        assert_eq!(pool.call(4), Ok(16));
        assert_eq!(pool.worker_ids(), workers);
        assert_eq!(pool.shutdown(None).workers_lost, 0);
    });
}
