//! One bad task among good ones, and workers that end in rows: what is told, and that nothing else is
//! harmed.

use crate::{
    functions::{self, CHORE, Chore},
    support::{MeetingPoint, Met, builder, check_at_rest, count, is_gone, pool, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{PoolBuilder, TaskError, child::Exit};
use std::{io::Read, thread, time::Duration};

/// How many good tasks there are beside the bad one.
const GOOD: usize = 20;

/// What a bad task came to, and which workers had it.
struct Harm {
    outcome: Result<u32, TaskError>,
    pids: Vec<u32>,
}

/// Runs a task that meets the test on each of `attempts`, among good ones, and checks what holds
/// whatever it does: the others are done, the books are in order, the pool works, and when it has
/// ended no process is left.
///
/// The bad task is at `place`. At 0 it goes alone, as nothing is known of tasks yet.
/// `then` is what the test does to the worker that it met; it may hold on to the meeting.
fn among_others(
    builder: PoolBuilder<Chore, u32>,
    bad: impl FnOnce(&MeetingPoint) -> Chore,
    (place, attempts): (usize, usize),
    then: impl Fn(Met) -> Option<Met>,
) -> Harm {
    let point = MeetingPoint::new();
    let pool = builder.workers(count(2)).start().expect("the pool starts");
    let mut inputs = vec![Chore::Return; GOOD];
    inputs.insert(place, bad(&point));
    let (mut outcomes, pids) = thread::scope(|scope| {
        let mapping = scope.spawn(|| pool.map(inputs));
        let mut held = Vec::new();
        let mut pids = Vec::new();
        for _ in 0..attempts {
            let met = point.meet();
            pids.push(met.pid);
            held.extend(then(met));
        }
        (mapping.join().expect("no panic"), pids)
    });
    let outcome = outcomes.remove(place);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let ledger = check_at_rest(&pool);
    let good = GOOD as u64 + 1;
    assert_eq!((ledger.done, ledger.failed), (good, 1), "{ledger:?}");
    let workers = pool.worker_ids();
    assert!(pool.shutdown(None).balances());
    assert!(workers.iter().chain(&pids).all(|pid| is_gone(*pid)));
    Harm { outcome, pids }
}

impl Harm {
    /// What the loss of the last of them is told as.
    fn lost(&self, exit: Exit, attempts: u32) -> TaskError {
        TaskError::WorkerLost {
            pid: *self.pids.last().expect("one attempt at least"),
            exit,
            attempts,
        }
    }
}

/// Lets the task go on.
fn let_go(met: Met) -> Option<Met> {
    drop(met);
    None
}

#[test]
fn a_lost_worker_is_told_with_its_process_its_exit_and_the_attempts() {
    watched(|| {
        let ways = [
            (Chore::Exit(0), Exit::Code(0)),
            (Chore::Exit(3), Exit::Code(3)),
            (Chore::Abort, Exit::Signal(6)),
            (Chore::Die, Exit::Signal(9)),
            #[cfg(target_os = "linux")]
            (Chore::FollowNull, Exit::Signal(11)),
        ];
        for (way, exit) in ways {
            for (retries, place) in [(0, GOOD / 2), (1, 0)] {
                let way = Box::new(way.clone());
                let bad = |point: &MeetingPoint| Chore::MeetFirst(point.path.clone(), way);
                let builder = builder(CHORE, 2).retries(retries);
                let attempts = retries + 1;
                let harm = among_others(builder, bad, (place, attempts as usize), let_go);
                assert_eq!(harm.outcome, Err(harm.lost(exit, attempts)));
            }
        }
    });
}

/// Ends the worker from outside, and holds on to what is left of the meeting.
fn kill(met: Met) -> Option<Met> {
    met.kill();
    Some(met)
}

#[test]
fn a_worker_killed_from_outside_on_every_attempt_is_told() {
    watched(|| {
        for (retries, place) in [(0, GOOD / 2), (1, 0)] {
            let builder = builder(CHORE, 2).retries(retries);
            let attempts = retries + 1;
            let at = (place, attempts as usize);
            let harm = among_others(builder, MeetingPoint::chore, at, kill);
            assert_eq!(harm.outcome, Err(harm.lost(Exit::Signal(9), attempts)));
        }
    });
}

#[test]
fn a_task_far_into_an_order_is_not_tried_more_often_than_allowed() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let mut inputs = vec![Chore::Return; GOOD];
        inputs.insert(GOOD / 2, point.chore());
        let (outcome, tries) = thread::scope(|scope| {
            let killing = scope.spawn(|| {
                let workers = std::iter::repeat_with(|| point.meet());
                let workers = workers.take_while(|met| met.pid != std::process::id());
                workers.inspect(Met::kill).count()
            });
            let outcome = pool.map(inputs).swap_remove(GOOD / 2);
            // The last to come to the meeting, which is over then.
            CHORE.run_here(point.chore());
            (outcome, killing.join().expect("no panic"))
        });
        let is_lost = matches!(outcome, Err(TaskError::WorkerLost { attempts: 2, .. }));
        assert!(is_lost, "{outcome:?}");
        assert_eq!(tries, 2);
    });
}

#[test]
fn a_panic_among_others_is_told_with_message_and_place() {
    watched(|| {
        let panic = || Box::new(Chore::Panic("no such luck".into()));
        let bad = |point: &MeetingPoint| Chore::MeetFirst(point.path.clone(), panic());
        let harm = among_others(builder(CHORE, 2), bad, (GOOD / 2, 1), let_go);
        let Err(TaskError::Panicked {
            message, location, ..
        }) = harm.outcome
        else {
            panic!("{:?}", harm.outcome);
        };
        assert_eq!(message, "no such luck");
        assert!(location.contains("functions.rs:"), "{location}");
    });
}

#[test]
fn a_task_that_stalls_past_the_limit_is_told_with_its_worker() {
    watched(|| {
        let limit = Duration::from_secs(2);
        let builder = builder(CHORE, 2).timeout(limit);
        let harm = among_others(builder, MeetingPoint::chore, (GOOD / 2, 1), Some);
        let pid = harm.pids[0];
        assert_eq!(harm.outcome, Err(TaskError::TimedOut { pid, limit }));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn workers_that_kill_one_another_are_all_replaced() {
    watched(|| {
        for workers in [1, 2, 5, 13] {
            let point = MeetingPoint::new();
            // Each loss costs one of the tasks an attempt, and each worker is lost once.
            let builder = builder(CHORE, workers).retries(workers as u32);
            let pool = builder.start().expect("the pool starts");
            let all = pool.worker_ids();
            let fight = Chore::Fight(point.path.clone(), all.clone());
            let tasks: Vec<_> = all.iter().map(|_| pool.submit(fight.clone())).collect();
            let met: Vec<_> = all.iter().map(|_| point.meet()).collect();
            drop(point);
            drop(met);
            for task in tasks {
                let survivor = task.wait().expect("a later attempt succeeds");
                assert!(!all.contains(&survivor));
            }
            assert!(all.iter().all(|pid| is_gone(*pid)));
            let ledger = check_at_rest(&pool);
            let workers = workers as u64;
            assert_eq!((ledger.workers_lost, ledger.retried), (workers, workers));
            assert_eq!((ledger.done, ledger.failed), (workers + 1, 0));
        }
    });
}

#[test]
fn workers_that_keep_dying_are_not_replaced_for_ever() {
    watched(|| {
        const TASKS: u64 = 20;
        let pool = match builder(functions::DOOMED, 2).start() {
            Ok(pool) => pool,
            // It ended before it was ready, three times.
            Err(error) => return assert!(error.to_string().contains("exit code 9"), "{error}"),
        };
        for outcome in pool.map(vec![Chore::Return; TASKS as usize]) {
            let is_told = match &outcome {
                Ok(_) | Err(TaskError::PoolBroken { .. }) => true,
                Err(TaskError::WorkerLost { exit, .. }) => *exit == Exit::Code(9),
                Err(_) => false,
            };
            assert!(is_told, "{outcome:?}");
        }
        let ledger = pool.shutdown(None);
        assert!(ledger.balances() && ledger.submitted == TASKS, "{ledger:?}");
        // Two attempts for each task, and three starts before each of them, or before giving up.
        let most = 3 * (2 * TASKS + 2);
        assert!(ledger.workers_started <= most, "{ledger:?}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_helper_ends_with_the_pool_though_its_task_is_long_over() {
    watched(|| {
        let point = MeetingPoint::new();
        let pool = pool(CHORE, 1);
        let task = pool.submit(Chore::StartHelper(point.path.clone()));
        let mut met = point.meet();
        assert_eq!(task.wait(), Ok(met.pid));
        check_at_rest(&pool);
        assert!(pool.shutdown(None).balances());
        // Only the helper held the socket.
        let end = met.stream.read(&mut [0]);
        assert!(matches!(end, Ok(0)), "{end:?}");
    });
}

#[test]
fn a_stopped_worker_is_given_up_at_the_limit_though_it_takes_no_input() {
    watched(|| {
        let limit = Duration::from_secs(1);
        let pool = builder(functions::ECHO, 1).timeout(limit).start();
        let pool = pool.expect("the pool starts");
        // A packet, and more than any pipe takes in.
        for size in [8, 8 << 20] {
            let pid = pool.worker_ids()[0];
            signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP).expect("it idles");
            let outcome = pool.submit(vec![7; size]).wait();
            // One that was stopped before it read the packet has not begun it: another has done it.
            let is_done = size == 8 && outcome == Ok(vec![7; size]);
            let timed_out = Err(TaskError::TimedOut { pid, limit });
            assert!(is_done || outcome == timed_out, "{size}");
            assert!(is_gone(pid));
            assert_eq!(pool.call(vec![1]), Ok(vec![1]));
        }
        let ledger = pool.shutdown(None);
        assert!(ledger.balances() && ledger.workers_lost == 2, "{ledger:?}");
    });
}

#[test]
fn a_lone_worker_that_stops_for_a_moment_does_what_it_had_not_read() {
    watched(|| {
        let pool = pool(functions::ECHO, 1);
        // Quick ones first, so that tasks are sent ahead.
        let quick = pool.map_unordered(vec![vec![1]; 300]);
        assert!(quick.into_iter().all(|(_, end)| end.is_ok()));
        let pid = Pid::from_raw(pool.worker_ids()[0].cast_signed());
        signal::kill(pid, Signal::SIGSTOP).expect("it idles");
        let tasks = [1, 2, 3].map(|size| pool.submit(vec![7; size]));
        // By then all are taken back.
        thread::sleep(Duration::from_millis(30));
        signal::kill(pid, Signal::SIGCONT).expect("it is stopped");
        assert!(tasks.into_iter().all(|task| task.wait().is_ok()));
    });
}

#[test]
fn stopped_workers_end_with_the_pool() {
    watched(|| {
        let pool = pool(functions::ECHO, 2);
        let workers = pool.worker_ids();
        for pid in &workers {
            signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP).expect("it idles");
        }
        let tasks = [1, 2, 3].map(|size| pool.submit(vec![7; size << 20]));
        drop(pool);
        for task in tasks {
            assert!(task.wait() == Err(TaskError::Cancelled));
        }
        assert!(workers.into_iter().all(is_gone));
    });
}
