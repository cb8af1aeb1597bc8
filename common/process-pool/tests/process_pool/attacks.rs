//! What tasks, values and callers can do to a pool, and what it answers all the same.

use crate::{
    crew::{self, CHORE, Chore, FORKING, SQUARE, Secret, square},
    support::{CREW, MeetingPoint, builder, check_at_rest, count, is_gone, pool, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{PoolError, Task, TaskError, Worker, child::Exit};
use std::{
    pin::Pin,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

#[test]
fn a_task_that_forks_and_returns_twice_answers_once() {
    watched(|| {
        let pool = pool(FORKING, 2);
        let outcomes = pool.map((0..200).map(|n| (n, n % 20 == 10)));
        for (n, outcome) in (0..).zip(outcomes) {
            assert_eq!(outcome, Ok(n));
        }
        assert_eq!(pool.shutdown().done, 200);
    });
}

#[test]
fn a_crash_is_noticed_though_another_process_holds_the_pipes() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = builder(CHORE, 1)
            .retries(0)
            .start()
            .expect("the crew starts");
        let task = pool.submit(Chore::LeaveOrphan(point.path.clone()));
        let orphan = point.meet();
        let outcome = task.wait();
        let exit = Exit::Signal(6);
        assert!(
            matches!(outcome, Err(TaskError::WorkerLost { exit: e, attempts: 1, .. }) if e == exit),
            "{outcome:?}"
        );
        check_at_rest(&pool);
        drop(orphan);
    });
}

#[test]
fn a_lock_on_standard_output_delays_no_result() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let pid = pool.call(Chore::HoldStdout).expect("it returns");
        assert_eq!(pool.call(Chore::Return), Ok(pid));
        assert!(pool.shutdown().balances());
        assert!(is_gone(pid));
    });
}

#[test]
fn a_task_that_closes_all_descriptors_gets_no_messages_into_its_files() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a file");
        let file = dir.path().join("file");
        let pool = builder(CHORE, 1)
            .retries(0)
            .start()
            .expect("the crew starts");
        let outcome = pool.call(Chore::CloseAll(file.clone()));
        assert!(
            matches!(outcome, Err(TaskError::WorkerLost { .. })),
            "{outcome:?}"
        );
        assert_eq!(std::fs::read(file).expect("it made it"), b"");
        check_at_rest(&pool);
    });
}

#[test]
fn inputs_may_depend_on_outcomes() {
    watched(|| {
        let pool = pool(SQUARE, 2);
        let (tx, rx) = mpsc::channel();
        tx.send(0).expect("it is open");
        let mut tx = Some(tx);
        let mut seen = 0;
        for (_, outcome) in pool.map_unordered(rx) {
            assert_eq!(outcome, Ok(square(seen)));
            seen += 1;
            match &tx {
                Some(inputs) if seen < 10 => inputs.send(seen).expect("it is open"),
                _ => tx = None,
            }
        }
        assert_eq!(seen, 10);
    });
}

#[test]
fn no_outcome_waits_behind_a_task_that_takes_long() {
    watched(|| {
        for ordered in [false, true] {
            let point = MeetingPoint::new();
            let pool = pool(CHORE, 2);
            // Quick ones first, so that tasks are sent ahead.
            let short = std::iter::repeat_n(Chore::Return, 300);
            let inputs: Vec<_> = short.clone().chain([point.chore()]).chain(short).collect();
            if ordered {
                let tasks: Vec<_> = inputs.into_iter().map(|chore| pool.submit(chore)).collect();
                let met = point.meet();
                let (long, short): (Vec<_>, Vec<_>) =
                    tasks.into_iter().partition(|task| task.id() == 300);
                assert!(
                    short
                        .into_iter()
                        .map(Task::wait)
                        .all(|outcome| outcome.is_ok())
                );
                drop(met);
                assert!(
                    long.into_iter()
                        .map(Task::wait)
                        .all(|outcome| outcome.is_ok())
                );
            } else {
                let mut outcomes = pool.map_unordered(inputs);
                let met = point.meet();
                assert_eq!(
                    outcomes
                        .by_ref()
                        .take(600)
                        .filter(|(_, end)| end.is_ok())
                        .count(),
                    600
                );
                drop(met);
                assert_eq!(outcomes.count(), 1);
            }
        }
    });
}

#[test]
fn attempts_are_runs_that_were_begun() {
    watched(|| {
        for chunk in [1, 7, 100] {
            let dir = tempfile::tempdir().expect("a place for markers");
            let pool = builder(CHORE, 2)
                .chunk(count(chunk))
                .start()
                .expect("the crew starts");
            // Each ends its worker on its first run, and only then.
            let chores = (0..100).map(|n| Chore::DieOnce(dir.path().join(n.to_string())));
            let outcomes = pool.map(chores.collect::<Vec<_>>());
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            let ledger = pool.shutdown();
            assert_eq!((ledger.retried, ledger.workers_lost), (100, 100));
        }
    });
}

#[test]
fn a_task_of_a_chunk_that_was_done_is_not_run_again() {
    watched(|| {
        let point = MeetingPoint::new();
        let builder = builder(CHORE, 1).retries(0).chunk(count(20));
        let pool = builder.start().expect("the crew starts");
        let mut chores = vec![Chore::Return; 20];
        chores[10] = point.chore();
        let (outcomes, first) = thread::scope(|scope| {
            let mapping = scope.spawn(|| pool.map(chores));
            let met = point.meet();
            met.kill();
            (mapping.join().expect("no panic"), met.pid)
        });
        for (place, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(pid) => assert_eq!(pid == first, place < 10, "{place}"),
                Err(error) => {
                    assert!(
                        matches!(error, TaskError::WorkerLost { attempts: 1, .. }) && place == 10
                    );
                }
            }
        }
    });
}

#[test]
fn a_shortage_that_passes_breaks_no_pool() {
    crew_succeeds(&["shortage"]);
}

#[test]
fn panics_that_end_a_worker_are_printed_and_others_are_caught() {
    for how in ["drop", "foreign"] {
        let said = crew_succeeds(&["panic", how]);
        assert!(
            said.contains("first words") && said.contains("SIGABRT"),
            "{said}"
        );
    }
    let said = crew_succeeds(&["panic", "payload"]);
    assert!(said.contains("Panicked"), "{said}");
}

/// All that the crew prints as a program of its own.
fn crew_succeeds(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    watched(move || {
        let output = Command::new(CREW).args(words).output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{said}");
        said.replace("Signal(6)", "SIGABRT")
    })
}

#[test]
fn two_functions_of_one_name_start_no_pool() {
    watched(|| {
        assert_ne!(crew::TWIN.run_here(1), crew::OTHER_TWIN.run_here(1));
        let error = builder(crew::TWIN, 1).start().expect_err("which of them?");
        assert!(matches!(error, PoolError::Ended(Exit::Code(2))));
        const OTHER: Worker<u64, String> = Worker::new("square", |n| n.to_string());
        let error = builder(OTHER, 1).start().expect_err("it has other types");
        assert!(matches!(error, PoolError::OtherTypes(_)));
    });
}

#[test]
fn the_last_tasks_of_a_shutdown_run_at_once_and_a_shared_pool_can_end() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = Arc::new(pool(CHORE, 2));
        let tasks = [point.chore(), point.chore()].map(|chore| pool.submit(chore));
        let ending = Arc::clone(&pool);
        let ending = thread::spawn(move || ending.shutdown());
        let met = [point.meet(), point.meet()];
        drop(met);
        assert_eq!(ending.join().expect("no panic").done, 2);
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
        assert_eq!(pool.call(Chore::Return), Err(TaskError::Cancelled));
    });
}

/// Asks the pool for its ledger when it is woken, and panics.
struct Nosy(Arc<process_pool::ProcessPool<Chore, u32>>);

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        assert!(self.0.ledger().submitted == 0, "on purpose");
    }
}

#[test]
fn a_waker_may_ask_the_pool_and_panic() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = Arc::new(pool(CHORE, 1));
        let mut task = pool.submit(point.chore());
        let met = point.meet();
        let waker = Waker::from(Arc::new(Nosy(Arc::clone(&pool))));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
        drop(met);
        check_at_rest(&pool);
        assert!(task.is_finished() && task.wait().is_ok());
    });
}

/// Drops the pool when it is woken.
struct Dropping(Mutex<Option<Arc<process_pool::ProcessPool<Chore, u32>>>>);

impl Wake for Dropping {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().expect("no panic").take());
    }
}

#[test]
fn a_waker_may_drop_the_pool() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = Arc::new(pool(CHORE, 1));
        let mut task = pool.submit(point.chore());
        let met = point.meet();
        let waker = Waker::from(Arc::new(Dropping(Mutex::new(Some(pool)))));
        let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
        assert_eq!(polled, Poll::Pending);
        let pid = met.pid;
        drop(met);
        // Waiting for it would be another waker.
        while !task.is_finished() {
            thread::yield_now();
        }
        assert_eq!(task.wait(), Ok(pid));
        crate::support::wait_until_dead(Pid::from_raw(pid.cast_signed()));
    });
}

#[test]
fn room_is_given_out_in_order_and_given_up_waits_hold_none() {
    watched(|| {
        let point = MeetingPoint::new();
        let builder = builder(CHORE, 1).queue_limit(count(1));
        let pool = builder.start().expect("the crew starts");
        let running = pool.submit(point.chore());
        let met = point.meet();
        let queued = pool.submit(Chore::Return);
        let mut waiting: Vec<_> = (0..3)
            .map(|_| Box::pin(pool.submit_async(Chore::Return)))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut context).is_pending());
        }
        drop(waiting.remove(1));
        drop(met);
        assert!(running.wait().is_ok() && queued.wait().is_ok());
        let tasks = waiting.into_iter().map(crate::tasks::block_on);
        let ids: Vec<_> = tasks.map(|task| (task.id(), task.wait().is_ok())).collect();
        assert_eq!(ids, [(2, true), (3, true)]);
        assert_eq!(check_at_rest(&pool).submitted, 5);
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn each_place_in_the_queue_wakes_one_that_waits_for_it() {
    watched(|| {
        let point = MeetingPoint::new();
        let builder = builder(CHORE, 1).queue_limit(count(1));
        let pool = builder.start().expect("the crew starts");
        let running = pool.submit(point.chore());
        let met = point.meet();
        let queued = pool.submit(point.chore());
        let counting = Arc::new(Counting::default());
        let waker = Waker::from(Arc::clone(&counting));
        let mut context = Context::from_waker(&waker);
        let mut waiting: Vec<_> = (0..1_000)
            .map(|_| Box::pin(pool.submit_async(Chore::Return)))
            .collect();
        for wait in &mut waiting {
            assert!(wait.as_mut().poll(&mut context).is_pending());
        }
        drop(met);
        assert!(running.wait().is_ok());
        // The queued one is begun: that frees one place.
        let met = point.meet();
        while counting.0.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let mut polls = waiting
            .iter_mut()
            .map(|wait| wait.as_mut().poll(&mut context));
        assert_eq!(polls.position(|polled| polled.is_ready()), Some(0));
        assert_eq!(counting.0.load(Ordering::SeqCst), 1);
        drop(met);
        assert!(queued.wait().is_ok());
    });
}

#[test]
fn the_async_end_of_busy_workers_blocks_no_thread() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 8);
        let tasks: Vec<_> = (0..8).map(|_| pool.submit(point.chore())).collect();
        let met: Vec<_> = tasks.iter().map(|_| point.meet()).collect();
        let mut ending = Box::pin(pool.shutdown_async(None));
        let mut context = Context::from_waker(Waker::noop());
        // It would wait here for ever.
        assert!(ending.as_mut().poll(&mut context).is_pending());
        drop(ending);
        drop(pool);
        assert!(met.iter().all(|met| is_gone(met.pid)));
        assert!(
            tasks
                .into_iter()
                .all(|task| task.wait() == Err(TaskError::Cancelled))
        );
    });
}

#[test]
fn what_is_declined_is_not_encoded() {
    watched(|| {
        let builder = builder(crew::CONFIDING, 1).queue_limit(count(1));
        let pool = builder.start().expect("the crew starts");
        let pid = Pid::from_raw(pool.worker_ids()[0].cast_signed());
        signal::kill(pid, Signal::SIGSTOP).expect("it idles");
        let tasks = [pool.submit(Secret(1)), pool.submit(Secret(2))];
        // There is no room: nobody learns that it cannot be encoded.
        assert_eq!(pool.try_submit(Secret(13)).err(), Some(Secret(13)));
        signal::kill(pid, Signal::SIGCONT).expect("it is stopped");
        assert_eq!(tasks.map(Task::wait), [Ok(1), Ok(2)]);
    });
}
