//! A million tasks while workers are killed ten times a second; run by hand or by `.ci/run`.

use crate::{
    functions::{GRIND, square},
    support::{builder, is_gone, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::{Ledger, ProcessPool};
use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const TASKS: usize = 1_000_000;
const KILL_EVERY: Duration = Duration::from_millis(100);

/// Kills one worker after the other, at random, until `run` is over; checks the books and what is left.
fn among_killings(how: &str, run: impl FnOnce(&ProcessPool<u64, u128>)) {
    // However often its neighbours lose their worker, no task is given up.
    let pool = builder(GRIND, 2).retries(1_000).start();
    let pool = pool.expect("the pool starts");
    let began = Instant::now();
    let kills = thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        let killing = scope.spawn(|| kill_until(is_over, &pool));
        run(&pool);
        drop(over);
        killing.join().expect("no panic")
    });
    let took = began.elapsed();
    let workers = pool.worker_ids();
    let ledger = pool.shutdown(None);
    assert!(workers.into_iter().all(is_gone));
    let Ledger {
        retried,
        workers_started,
        workers_lost,
        ..
    } = ledger;
    println!(
        "{how}: {TASKS} tasks in {took:.1?}, {kills} kills, {workers_lost} workers lost, \
         {workers_started} started, {retried} attempts repeated"
    );
    let all = TASKS as u64;
    assert_eq!((ledger.submitted, ledger.done), (all, all), "{ledger:?}");
    assert!(ledger.balances(), "{ledger:?}");
    // One that was killed at the very end may not have been missed.
    assert!(workers_lost > 0 && workers_lost <= kills, "{ledger:?}");
}

fn kill_until(is_over: mpsc::Receiver<()>, pool: &ProcessPool<u64, u128>) -> u64 {
    let (mut kills, mut random) = (0, 0x9E37_79B9_7F4A_7C15_u64);
    while is_over.recv_timeout(KILL_EVERY) == Err(RecvTimeoutError::Timeout) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let workers = pool.worker_ids();
        // All of them may be on their way.
        let chosen = random.checked_rem(workers.len() as u64);
        let Some(pid) = chosen.map(|chosen| workers[chosen as usize]) else {
            continue;
        };
        // It may be gone already.
        if signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).is_ok() {
            kills += 1;
        }
    }
    kills
}

#[test]
#[ignore = "takes half a minute; .ci/run does it"]
fn a_million_tasks_come_through_while_workers_are_killed() {
    // Each under a watchdog of its own.
    watched(|| {
        among_killings("map_unordered", |pool| {
            let mut answers = vec![0_u8; TASKS];
            for (index, outcome) in pool.map_unordered(0..TASKS as u64) {
                assert_eq!(outcome, Ok(square(index as u64)));
                answers[index] += 1;
            }
            assert!(answers.iter().all(|answers| *answers == 1));
        });
    });
    watched(|| {
        among_killings("map", |pool| {
            for (n, outcome) in (0..).zip(pool.map(0..TASKS as u64)) {
                assert_eq!(outcome, Ok(square(n)));
            }
        });
    });
    watched(|| {
        among_killings("submit", |pool| {
            let tasks: Vec<_> = (0..TASKS as u64).map(|n| pool.submit(n)).collect();
            for (n, task) in (0..).zip(tasks) {
                assert_eq!(task.wait(), Ok(square(n)));
            }
        });
    });
}
