//! What becomes of workers that die in mid-task, or idle, or take too long.

use crate::{
    functions::{CHORE, Chore},
    support::{MeetingPoint, Met, builder, check_at_rest, is_gone, pool, wait_until_dead, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{TaskError, child::Exit};
use std::{io::Read, time::Duration};

#[test]
fn a_task_whose_worker_dies_is_retried() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a marker");
        let pool = pool(CHORE, 1);
        let chore = Chore::DieOnce(dir.path().join("marker"));
        let pid = pool
            .submit(chore)
            .wait()
            .expect("the second attempt succeeds");
        assert_eq!(pool.worker_ids(), [pid]);
        let ledger = check_at_rest(&pool);
        assert_eq!(
            (ledger.retried, ledger.workers_lost, ledger.failed),
            (1, 1, 0)
        );
        assert_eq!(ledger.workers_started, 2);
    });
}

#[test]
fn a_worker_killed_from_outside_in_mid_task_is_replaced() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let task = pool.submit(point.chore());
        let first = point.meet();
        first.kill();
        let second = point.meet();
        let pid = second.pid;
        drop(second);
        assert_eq!(task.wait(), Ok(pid));
        assert!(is_gone(first.pid));
        check_at_rest(&pool);
    });
}

#[test]
fn a_task_that_always_ends_its_worker_is_reported_with_how() {
    watched(|| {
        let pool = pool(CHORE, 2);
        let tasks = [
            (Chore::Die, Exit::Signal(9)),
            (Chore::Abort, Exit::Signal(6)),
            (Chore::Exit(3), Exit::Code(3)),
            (Chore::Exit(0), Exit::Code(0)),
        ];
        let expected = tasks.clone().map(|(_, exit)| exit);
        let outcomes = pool.map(tasks.map(|(chore, _)| chore));
        for (outcome, expected) in outcomes.into_iter().zip(expected) {
            let Err(TaskError::WorkerLost {
                exit,
                attempts: 2,
                pid,
            }) = outcome
            else {
                panic!("{outcome:?}");
            };
            assert_eq!(exit, expected);
            assert!(is_gone(pid));
        }
        let ledger = check_at_rest(&pool);
        assert_eq!(
            (ledger.failed, ledger.retried, ledger.workers_lost),
            (4, 4, 8)
        );
    });
}

#[test]
fn without_retries_a_task_runs_at_most_once() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a marker");
        let pool = builder(CHORE, 1)
            .retries(0)
            .start()
            .expect("the pool starts");
        let outcome = pool
            .submit(Chore::DieOnce(dir.path().join("marker")))
            .wait();
        assert!(
            matches!(outcome, Err(TaskError::WorkerLost { attempts: 1, .. })),
            "{outcome:?}"
        );
        assert_eq!(check_at_rest(&pool).retried, 0);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn idle_workers_that_were_killed_cost_no_task_an_attempt() {
    watched(|| {
        let pool = builder(CHORE, 3)
            .retries(0)
            .start()
            .expect("the pool starts");
        for round in 1..=5 {
            for pid in pool.worker_ids() {
                let pid = Pid::from_raw(pid.cast_signed());
                signal::kill(pid, Signal::SIGKILL).expect("it idles");
                wait_until_dead(pid);
            }
            let outcomes = pool.map(vec![Chore::Return; 20]);
            assert!(
                outcomes.iter().all(Result::is_ok),
                "round {round}: {outcomes:?}"
            );
        }
        check_at_rest(&pool);
    });
}

#[test]
fn all_workers_killed_at_once_in_mid_task_are_replaced() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 4);
        let tasks: Vec<_> = (0..4).map(|_| pool.submit(point.chore())).collect();
        let met: Vec<_> = (0..4).map(|_| point.meet()).collect();
        met.iter().for_each(Met::kill);
        for _ in 0..4 {
            drop(point.meet());
        }
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
        let ledger = check_at_rest(&pool);
        assert_eq!((ledger.retried, ledger.workers_lost), (4, 4));
    });
}

#[test]
fn a_task_past_its_limit_is_ended_and_not_retried() {
    watched(|| {
        let limit = Duration::from_secs(1);
        let point = MeetingPoint::new();
        let pool = builder(CHORE, 1)
            .timeout(limit)
            .start()
            .expect("the pool starts");
        let task = pool.submit(point.chore());
        let met = point.meet();
        assert_eq!(
            task.wait(),
            Err(TaskError::TimedOut {
                pid: met.pid,
                limit
            })
        );
        assert!(is_gone(met.pid));
        let ledger = check_at_rest(&pool);
        assert_eq!(
            (ledger.failed, ledger.retried, ledger.workers_lost),
            (1, 0, 1)
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_helper_does_not_outlive_the_worker_that_started_it() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = builder(CHORE, 1)
            .retries(0)
            .start()
            .expect("the pool starts");
        let task = pool.submit(Chore::LeaveHelper(point.path.clone()));
        let mut met = point.meet();
        let exit = Exit::Code(3);
        let (pid, attempts) = (met.pid, 1);
        assert_eq!(
            task.wait(),
            Err(TaskError::WorkerLost {
                pid,
                exit,
                attempts
            })
        );
        // Only the helper holds the socket now.
        let end = met.stream.read(&mut [0]);
        assert!(matches!(end, Ok(0)), "{end:?}");
        check_at_rest(&pool);
    });
}
