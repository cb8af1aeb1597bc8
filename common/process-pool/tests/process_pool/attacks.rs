//! What tasks, values and callers can do to a pool, and what it answers all the same.

use crate::{
    functions::{self, CHORE, Chore, FORKING, SQUARE, Secret, square},
    support::{MeetingPoint, PROGRAM, builder, check_at_rest, count, is_gone, pool, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{PoolError, Task, TaskError, Worker, child::Exit};
use std::{
    process::Command,
    sync::{Arc, mpsc},
    task::{Context, Waker},
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
        assert_eq!(pool.shutdown(None).done, 200);
    });
}

#[test]
fn a_crash_is_noticed_though_another_process_holds_the_pipes() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = builder(CHORE, 1)
            .retries(0)
            .start()
            .expect("the pool starts");
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
        assert!(pool.shutdown(None).balances());
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
            .expect("the pool starts");
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

/// A task that takes long among quick ones, the first of which have tasks sent ahead.
fn one_of_601_takes_long(point: &MeetingPoint) -> Vec<Chore> {
    let mut chores = vec![Chore::Return; 601];
    chores[300] = point.chore();
    chores
}

#[test]
fn no_outcome_waits_behind_a_task_that_takes_long() {
    watched(|| {
        let (point, pool) = (MeetingPoint::new(), pool(CHORE, 2));
        let chores = one_of_601_takes_long(&point).into_iter();
        let mut tasks: Vec<_> = chores.map(|chore| pool.submit(chore)).collect();
        let met = point.meet();
        let long = tasks.remove(300);
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
        assert!(!long.is_finished());
        drop(met);
        assert!(long.wait().is_ok());
    });
}

#[test]
fn no_outcome_of_a_stream_waits_behind_a_task_that_takes_long() {
    watched(|| {
        let (point, pool) = (MeetingPoint::new(), pool(CHORE, 2));
        let mut outcomes = pool.map_unordered(one_of_601_takes_long(&point));
        let met = point.meet();
        let quick = outcomes.by_ref().take(600);
        assert_eq!(quick.filter(|(_, end)| end.is_ok()).count(), 600);
        drop(met);
        assert_eq!(outcomes.count(), 1);
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
                .expect("the pool starts");
            // Each ends its worker on its first run, and only then.
            let chores = (0..100).map(|n| Chore::DieOnce(dir.path().join(n.to_string())));
            let outcomes = pool.map(chores.collect::<Vec<_>>());
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            let ledger = pool.shutdown(None);
            assert_eq!((ledger.retried, ledger.workers_lost), (100, 100));
        }
    });
}

#[test]
fn a_task_of_a_chunk_that_was_done_is_not_run_again() {
    watched(|| {
        let point = MeetingPoint::new();
        let builder = builder(CHORE, 1).retries(0).chunk(count(20));
        let pool = builder.start().expect("the pool starts");
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
    program_succeeds(&["shortage"]);
}

#[test]
fn panics_that_end_a_worker_are_printed_and_others_are_caught() {
    for how in ["drop", "foreign"] {
        let said = program_succeeds(&["panic", how]);
        assert!(
            said.contains("first words") && said.contains("SIGABRT"),
            "{said}"
        );
    }
    let said = program_succeeds(&["panic", "payload"]);
    assert!(said.contains("Panicked"), "{said}");
}

/// All that the program of the workers prints when it is started by itself.
fn program_succeeds(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    watched(move || {
        let output = Command::new(PROGRAM)
            .args(words)
            .output()
            .expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{said}");
        said.replace("Signal(6)", "SIGABRT")
    })
}

#[test]
fn two_functions_of_one_name_start_no_pool() {
    watched(|| {
        assert_ne!(
            functions::TWIN.run_here(1),
            functions::OTHER_TWIN.run_here(1)
        );
        let error = builder(functions::TWIN, 1)
            .start()
            .expect_err("which of them?");
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
        let ending = thread::spawn(move || ending.shutdown(None));
        let met = [point.meet(), point.meet()];
        drop(met);
        assert_eq!(ending.join().expect("no panic").done, 2);
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
        assert_eq!(pool.call(Chore::Return), Err(TaskError::Cancelled));
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
        let builder = builder(functions::CONFIDING, 1).queue_limit(count(1));
        let pool = builder.start().expect("the pool starts");
        let pid = Pid::from_raw(pool.worker_ids()[0].cast_signed());
        signal::kill(pid, Signal::SIGSTOP).expect("it idles");
        let tasks = [pool.submit(Secret(1)), pool.submit(Secret(2))];
        // There is no room: nobody learns that it cannot be encoded.
        assert_eq!(pool.try_submit(Secret(13)).err(), Some(Secret(13)));
        signal::kill(pid, Signal::SIGCONT).expect("it is stopped");
        assert_eq!(tasks.map(Task::wait), [Ok(1), Ok(2)]);
    });
}
