//! How pools begin and end.

use crate::{
    functions::{self, CHORE, Chore, SQUARE},
    support::{
        MeetingPoint, PROGRAM, builder, count, is_gone, pool, state_of, wait_until_dead, watched,
    },
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{
    Event, PoolError, ProcessPool, Task, TaskError, Worker,
    child::{Exit, Program},
};
use std::{
    collections::BTreeSet,
    io::Read,
    num::NonZeroU64,
    process::{Command, Stdio},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

fn why_not(started: Result<ProcessPool<u8, u8>, PoolError>) -> String {
    let error = started.expect_err("it cannot start");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

fn with_program(path: &str) -> Result<ProcessPool<u8, u8>, PoolError> {
    let worker = Worker::new("any", |input| input);
    worker
        .pool_builder()
        .program(Program::at(path))
        .workers(count(2))
        .start()
}

#[test]
fn workers_that_cannot_start_break_the_pool_and_say_why() {
    watched(|| {
        assert!(why_not(with_program("/no/such/program")).contains("`/no/such/program`"));
        let reason = why_not(with_program("/bin/false"));
        assert!(
            reason.contains("exit code 1 before its first task"),
            "{reason}"
        );
        let reason = why_not(builder(functions::STILLBORN, 3).start());
        assert!(
            reason.contains("exit code 7 before its first task"),
            "{reason}"
        );
        // This very test program does not know what a role is.
        let reason = why_not(functions::MUTE.pool_builder().workers(count(1)).start());
        assert!(reason.contains("before its first task"), "{reason}");
    });
}

#[test]
fn workers_that_never_get_ready_break_the_pool() {
    watched(|| {
        let limit = Duration::from_millis(100);
        let reason = why_not(builder(functions::MUTE, 2).start_limit(limit).start());
        assert!(reason.contains("not ready after 100ms"), "{reason}");
    });
}

#[test]
fn a_pool_that_breaks_later_ends_every_task() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a program");
        let program = dir.path().join("program");
        std::fs::hard_link(PROGRAM, &program)
            .or_else(|_| std::fs::copy(PROGRAM, &program).map(drop))
            .expect("a second name");
        let builder = CHORE
            .pool_builder()
            .program(Program::at(&program))
            .workers(count(2));
        let pool = builder.start().expect("the pool starts");
        std::fs::remove_file(&program).expect("it was there");
        let outcomes = pool.map([Chore::Die, Chore::Die, Chore::Return, Chore::Return]);
        let broken = |outcome| matches!(outcome, Err(TaskError::PoolBroken { .. }));
        assert!(outcomes.into_iter().skip(2).all(broken));
        assert!(broken(pool.submit(Chore::Return).wait()));
        assert!(pool.worker_ids().is_empty());
        let ledger = pool.shutdown(None);
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!((ledger.submitted, ledger.failed), (5, 5));
    });
}

#[test]
fn dropping_a_pool_cancels_its_tasks_and_leaves_no_process() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 2);
        let tasks: Vec<_> = (0..50).map(|_| pool.submit(point.chore())).collect();
        let met = [point.meet(), point.meet()];
        drop(pool);
        assert!(met.iter().all(|met| is_gone(met.pid)));
        for task in tasks {
            assert_eq!(task.wait(), Err(TaskError::Cancelled));
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn dropping_a_pool_signals_all_of_its_busy_workers_before_it_reaps_one() {
    watched(|| {
        let (point, pids) = (MeetingPoint::new(), Arc::new(OnceLock::<Vec<u32>>::new()));
        let (all, (tx, dead)) = (Arc::clone(&pids), mpsc::channel());
        // At the end of the first one it waits for those that were not signalled, for ever.
        let hook = move |event| {
            if let (Event::Gone(..), Some(all)) = (event, all.get()) {
                let has_ended = |pid: &u32| matches!(state_of(*pid), None | Some(b'Z' | b'X'));
                while !all.iter().all(has_ended) {
                    thread::yield_now();
                }
                tx.send(()).expect("the test listens");
            }
        };
        let pool = builder(CHORE, 64).on_event(hook).start();
        let pool = pool.expect("the pool starts");
        let tasks: Vec<_> = (0..64).map(|_| pool.submit(point.chore())).collect();
        let met: Vec<_> = tasks.iter().map(|_| point.meet()).collect();
        let busy = met.iter().map(|met| met.pid).collect();
        pids.set(busy).expect("only here");
        drop(pool);
        assert_eq!(dead.try_iter().count(), 64);
        assert!(met.iter().all(|met| is_gone(met.pid)));
        let outcomes = tasks.into_iter().map(Task::wait);
        assert!(
            outcomes
                .into_iter()
                .all(|outcome| outcome == Err(TaskError::Cancelled))
        );
    });
}

#[test]
fn shutting_down_ends_what_was_submitted_first() {
    watched(|| {
        let pool = pool(SQUARE, 2);
        let workers = pool.worker_ids();
        let tasks: Vec<_> = (0..500).map(|n| pool.submit(n)).collect();
        let ledger = pool.shutdown(None);
        assert_eq!(
            (ledger.submitted, ledger.done, ledger.workers_lost),
            (500, 500, 0)
        );
        assert!(workers.into_iter().all(is_gone));
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
    });
}

#[test]
fn a_pool_can_end_while_a_worker_is_dead() {
    watched(|| {
        for _ in 0..10 {
            let pool = pool(CHORE, 2);
            let pid = Pid::from_raw(pool.worker_ids()[0].cast_signed());
            signal::kill(pid, Signal::SIGKILL).expect("it idles");
            wait_until_dead(pid);
            let tasks = [pool.submit(Chore::Return), pool.submit(Chore::Die)];
            assert!(pool.shutdown(None).balances());
            let [returned, died] = tasks.map(|task| task.wait());
            assert!(returned.is_ok() && died.is_err(), "{returned:?}, {died:?}");
        }
    });
}

#[test]
fn workers_end_with_a_parent_that_is_killed() {
    watched(|| {
        let point = MeetingPoint::new();
        let mut parent = Command::new(PROGRAM)
            .arg("meet")
            .arg(&point.path)
            .spawn()
            .expect("it starts");
        let mut met = [point.meet(), point.meet()];
        parent.kill().expect("it runs");
        parent.wait().expect("it ends");
        for met in &mut met {
            // The end of a worker closes its socket, in mid-task.
            let end = met.stream.read(&mut [0]);
            assert!(matches!(end, Ok(0)), "{end:?}");
        }
    });
}

#[test]
fn a_worker_starts_no_pool() {
    watched(|| {
        let outcome = pool(functions::NESTED, 1)
            .submit(0)
            .wait()
            .expect("a sentence");
        assert!(
            outcome.contains("as `square`: a child process has no children"),
            "{outcome}"
        );
    });
}

#[test]
fn a_program_that_forgets_its_roles_stops_at_the_first_copies() {
    watched(|| {
        let output = Command::new(PROGRAM)
            .env("POOL_WORKER_FORGETS", "1")
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("exit code 1 before its first task"), "{said}");
        // Two workers, three attempts each.
        assert!(said.matches("has no children").count() <= 6, "{said}");
    });
}

#[test]
fn a_hook_sees_all_that_happens_before_its_outcome_and_may_panic() {
    watched(|| {
        let (tx, events) = mpsc::channel();
        let hook = move |event| {
            tx.send(event).expect("the test listens");
            panic!("on purpose");
        };
        let pool = builder(CHORE, 1).retries(0).on_event(hook).start();
        let pool = pool.expect("the pool starts");
        let pid = pool.call(Chore::Return).expect("it is done");
        let seen: Vec<_> = events.try_iter().collect();
        assert!(matches!(&seen[0], Event::Ready(worker, ..) if worker.pid == pid));
        assert_eq!(seen[1], Event::Submitted(0));
        assert!(matches!(seen[2], Event::Begun(worker, 0) if worker.slot == 0));
        assert!(matches!(seen[3], Event::Done(_, 0, _)));
        assert_eq!(seen[4..], [Event::Received(0)]);
        pool.call(Chore::Die).expect_err("it dies");
        let is_gone = |event| matches!(event, Event::Gone(worker, Exit::Signal(9), Some((1, _))) if worker.pid == pid);
        assert!(events.try_iter().any(is_gone));
    });
}

#[test]
fn workers_have_the_environment_and_folder_they_are_given_and_a_limited_life() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().canonicalize().expect("it is there");
        let builder = builder(functions::WHERE, 2).env("POOL_WORKER_WORD", "hello");
        let builder = builder.current_dir(&folder);
        let builder = builder.tasks_per_worker(NonZeroU64::MIN);
        let pool = builder.start().expect("the pool starts");
        let outcomes = pool.map(vec!["POOL_WORKER_WORD".into(); 6]);
        let mut pids = BTreeSet::new();
        for outcome in outcomes {
            let (word, place, pid) = outcome.expect("nothing fails");
            assert_eq!((word.as_deref(), &place), (Some("hello"), &folder));
            pids.insert(pid);
        }
        let ledger = pool.shutdown(None);
        assert_eq!((pids.len(), ledger.done, ledger.workers_lost), (6, 6, 0));
    });
}

#[test]
fn a_shutdown_with_a_limit_cancels_what_takes_longer() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let running = pool.submit(point.chore());
        let met = point.meet();
        let waiting = pool.submit(Chore::Return);
        let limit = Some(Duration::from_millis(20));
        let ledger = crate::tasks::block_on(pool.shutdown_async(limit));
        assert!(ledger.balances() && ledger.cancelled == 2, "{ledger:?}");
        assert!(is_gone(met.pid));
        for task in [running, waiting] {
            assert_eq!(task.wait(), Err(TaskError::Cancelled));
        }
    });
}

#[test]
fn a_task_can_be_waited_for_a_while_and_cancelled_by_dropping_it() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let task = pool.submit(point.chore()).cancel_on_drop();
        let met = point.meet();
        assert!(!task.is_finished());
        let task = task.wait_timeout(Duration::from_millis(5));
        drop(task.expect_err("it meets"));
        assert!(pool.call(Chore::Return).is_ok_and(|pid| pid != met.pid));
        assert_eq!(pool.shutdown(None).cancelled, 1);
    });
}
