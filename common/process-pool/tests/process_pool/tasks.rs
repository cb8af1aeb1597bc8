//! What becomes of tasks: values, panics, cancellation, full queues, futures.

use crate::{
    functions::{self, CHORE, Chore, Picky, SQUARE, Secret, square},
    support::{MeetingPoint, builder, check_at_rest, count, is_gone, pool, state_of, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{TaskError, Worker};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt::Debug,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

#[test]
fn map_equals_the_sequential_oracle_in_order() {
    watched(|| {
        for workers in 1..=8 {
            let pool = pool(SQUARE, workers);
            assert_eq!(pool.worker_ids().len(), workers);
            for n in [0, 1, 5, 1_000] {
                let outcomes: Result<Vec<_>, _> = pool.map(0..n).into_iter().collect();
                let expected: Vec<_> = (0..n).map(square).collect();
                assert_eq!(outcomes, Ok(expected), "{workers} workers");
            }
            let ledger = pool.shutdown(None);
            assert_eq!((ledger.submitted, ledger.done), (1_006, 1_006));
            assert_eq!(ledger.workers_started, workers as u64);
            assert_eq!((ledger.workers_lost, ledger.retried), (0, 0));
        }
    });
}

#[test]
fn unordered_yields_each_index_once() {
    watched(|| {
        let pool = pool(SQUARE, 3);
        let mut outcomes: Vec<_> = pool.map_unordered(0..2_000).collect();
        outcomes.sort_by_key(|(index, _)| *index);
        let expected: Vec<_> = (0..2_000).map(|n| (n as usize, Ok(square(n)))).collect();
        assert_eq!(outcomes, expected);
    });
}

#[test]
fn unordered_yields_what_is_done_while_others_run() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 2);
        let mut outcomes = pool.map_unordered([point.chore(), Chore::Return, Chore::Return]);
        let met = point.meet();
        let first_two: Vec<_> = outcomes.by_ref().take(2).map(|(index, _)| index).collect();
        assert_eq!(first_two, [1, 2]);
        let pid = met.pid;
        drop(met);
        assert_eq!(outcomes.collect::<Vec<_>>(), [(0, Ok(pid))]);
    });
}

#[test]
fn unordered_takes_endless_inputs_and_cancels_what_it_no_longer_wants() {
    watched(|| {
        let pool = builder(SQUARE, 2)
            .queue_limit(count(4))
            .start()
            .expect("the pool starts");
        assert_eq!(pool.map_unordered(0..).take(100).count(), 100);
        let ledger = pool.shutdown(None);
        assert!(
            ledger.balances() && ledger.submitted <= 100 + 2 * 256,
            "{ledger:?}"
        );
    });
}

#[test]
fn a_panic_comes_back_with_message_and_place_and_the_worker_goes_on() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let before = pool.worker_ids();
        let error = pool
            .submit(Chore::Panic("no such luck".into()))
            .wait()
            .unwrap_err();
        let TaskError::Panicked {
            message, location, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(message, "no such luck");
        assert!(location.contains("functions.rs:"), "{location}");
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.failed, ledger.workers_lost), (1, 0));
        assert_eq!(pool.worker_ids(), before);
    });
}

#[test]
fn queued_and_running_tasks_can_be_cancelled() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let running = pool.submit(point.chore());
        let queued = pool.submit(point.chore());
        let met = point.meet();
        assert!(queued.cancel());
        assert_eq!(queued.wait(), Err(TaskError::Cancelled));
        assert!(running.cancel());
        while !running.is_finished() {
            thread::yield_now();
        }
        assert!(!running.cancel(), "it is over");
        assert_eq!(running.wait(), Err(TaskError::Cancelled));
        assert!(is_gone(met.pid));
        let ledger = check_at_rest(&pool);
        assert_eq!(
            (ledger.cancelled, ledger.retried, ledger.workers_lost),
            (2, 0, 1)
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_task_that_is_cancelled_before_it_is_begun_never_runs() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a marker");
        let marker = dir.path().join("marker");
        let pool = pool(CHORE, 1);
        let id = pool.worker_ids()[0];
        let pid = Pid::from_raw(id.cast_signed());
        signal::kill(pid, Signal::SIGSTOP).expect("it idles");
        while state_of(id) != Some(b'T') {
            thread::yield_now();
        }
        let task = pool.submit(Chore::DieOnce(marker.clone()));
        assert!(task.cancel());
        assert_eq!(task.wait(), Err(TaskError::Cancelled));
        signal::kill(pid, Signal::SIGCONT).expect("it is stopped");
        assert_eq!(pool.call(Chore::Return), Ok(id));
        assert!(!marker.exists());
    });
}

#[test]
fn what_tasks_print_does_not_reach_the_messages() {
    watched(|| {
        let pool = pool(CHORE, 2);
        let outcomes = pool.map(vec![Chore::Print; 10]);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(check_at_rest(&pool).workers_lost, 0);
    });
}

/// Runs a function with 13 between two other numbers: that one's value cannot cross, and nothing else is harmed.
fn only_13_cannot_cross<I, O>(
    worker: Worker<I, O>,
    inputs: [I; 3],
    outputs: [O; 2],
    is_expected: impl Fn(&TaskError) -> bool,
) where
    I: Serialize,
    O: DeserializeOwned + Debug + PartialEq,
{
    let pool = pool(worker, 1);
    let mut outcomes = pool.map(inputs);
    let error = outcomes.remove(1).expect_err("it cannot cross");
    assert!(is_expected(&error), "{error}");
    assert_eq!(outcomes, outputs.map(Ok));
    let ledger = pool.shutdown(None);
    assert_eq!((ledger.submitted, ledger.done, ledger.failed), (3, 2, 1));
    assert_eq!(ledger.workers_lost, 0);
}

#[test]
fn values_that_cannot_cross_are_reported_and_the_worker_goes_on() {
    let input = |why| move |error: &TaskError| matches!(error, TaskError::Input(reason) if reason.contains(why));
    let output = |why| move |error: &TaskError| matches!(error, TaskError::Output(reason) if reason.contains(why));
    let (not_encoded, not_decoded) = ("cannot be encoded", "cannot be decoded");
    watched(move || {
        let (numbers, others) = ([1, 13, 2], [1, 2]);
        let why = input(not_encoded);
        only_13_cannot_cross(functions::CONFIDING, numbers.map(Secret), others, why);
        let why = input(not_decoded);
        only_13_cannot_cross(functions::PICKY, numbers.map(Picky), others, why);
        let why = output(not_encoded);
        only_13_cannot_cross(functions::SECRETIVE, numbers, others.map(Secret), why);
        let why = output(not_decoded);
        only_13_cannot_cross(functions::FORGED, numbers, others.map(Picky), why);
    });
}

#[test]
fn large_values_cross_in_both_directions() {
    watched(|| {
        let pool = pool(functions::ECHO, 2);
        let inputs: Vec<Vec<u8>> = (0..6).map(|i| vec![i; 3 << 20]).collect();
        let outputs: Result<Vec<_>, _> = pool.map(inputs.clone()).into_iter().collect();
        assert!(outputs == Ok(inputs));
    });
}

#[test]
fn a_full_queue_declines_until_there_is_room() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = builder(CHORE, 1)
            .queue_limit(count(2))
            .start()
            .expect("the pool starts");
        let running = pool.submit(point.chore());
        let met = point.meet();
        let queued = [pool.submit(Chore::Return), pool.submit(Chore::Return)];
        assert!(pool.try_submit(Chore::Return).is_err());
        thread::scope(|scope| {
            let blocked = scope.spawn(|| pool.submit(Chore::Return).wait());
            let waiting =
                scope.spawn(|| block_on(async { pool.submit_async(Chore::Return).await.await }));
            drop(met);
            assert!(blocked.join().expect("no panic").is_ok());
            assert!(waiting.join().expect("no panic").is_ok());
        });
        assert!(running.wait().is_ok());
        assert!(queued.into_iter().all(|task| task.wait().is_ok()));
        assert_eq!(check_at_rest(&pool).submitted, 6);
    });
}

#[test]
fn tasks_are_futures() {
    watched(|| {
        let pool = pool(SQUARE, 2);
        let tasks: Vec<_> = (0..100).map(|n| pool.submit(n)).collect();
        let outcomes = block_on(async {
            let mut outcomes = Vec::new();
            for task in tasks {
                outcomes.push(task.await);
            }
            outcomes
        });
        let expected: Vec<_> = (0..100).map(|n| Ok(square(n))).collect();
        assert_eq!(outcomes, expected);
    });
}

#[test]
fn a_task_can_be_polled_first_and_waited_for_later() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let mut task = pool.submit(point.chore());
        let met = point.meet();
        let pid = met.pid;
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut task).poll(&mut context), Poll::Pending);
        drop(met);
        assert_eq!(task.wait(), Ok(pid));
    });
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_panic_while_an_outcome_is_decoded_costs_no_other_outcome() {
    watched(|| {
        let pool = pool(functions::TOUCHY, 1);
        let mut outcomes = pool.map_unordered(0..300);
        let (mut values, mut panics) = (0, 0);
        loop {
            match panic::catch_unwind(AssertUnwindSafe(|| outcomes.next())) {
                Ok(None) => break,
                Ok(Some((index, outcome))) => {
                    let value = outcome.expect("no other is touchy").0;
                    assert_eq!(value, square(index as u64));
                    values += 1;
                }
                Err(_) => panics += 1,
            }
        }
        assert_eq!((values, panics), (299, 1));
    });
}
