//! What workers are started with, and how a test starts them.

use crate::{
    functions::{self, ADD, CHORE, Chore, LOAD, SQUARE, square},
    support::{builder, count, watched},
};
use process_pool::{
    Limit, PoolError, TaskError, Worker,
    child::{self, Exit, Program},
};
use std::{
    panic::{self, AssertUnwindSafe},
    path::Path,
    process::Command,
};

/// What workers that are this very test program do.
#[test]
fn workers() {
    child::enter(&[&SQUARE, &TRACED]);
}

#[test]
fn a_test_program_can_be_its_own_workers() {
    watched(|| {
        let builder = SQUARE.pool_builder().workers(count(2));
        let pool = builder.program(Program::test("ways::workers")).start();
        let pool = pool.expect("the harness runs it");
        let outcomes = pool.map(0..100);
        assert!(
            (0..)
                .zip(outcomes)
                .all(|(n, outcome)| outcome == Ok(square(n)))
        );
    });
}

#[test]
fn one_pool_runs_several_functions() {
    watched(|| {
        let squares = builder(SQUARE, 2).also(&CHORE).also(&ADD).start();
        let squares = squares.expect("the pool starts");
        let chores = squares.share(&CHORE);
        let tasks: Vec<_> = (0..20)
            .map(|n| (squares.submit(n), chores.submit(Chore::Return)))
            .collect();
        let workers = squares.worker_ids();
        for (n, (squared, done)) in (0..).zip(tasks) {
            assert_eq!(squared.wait(), Ok(square(n)));
            assert!(workers.contains(&done.wait().expect("it returns")));
        }
        // The workers end with the last that has them.
        drop(squares);
        assert!(chores.call(Chore::Return).is_ok());
        const STRANGE: Worker<u8, u8> = Worker::new("square", |n| n);
        let refused = panic::catch_unwind(AssertUnwindSafe(|| drop(chores.share(&STRANGE))));
        assert!(refused.is_err(), "it has other types");
    });
}

#[test]
fn a_function_of_other_types_is_found_when_a_worker_starts() {
    watched(|| {
        const STRANGE: Worker<u8, u8> = Worker::new("add", |n| n);
        let error = builder(SQUARE, 1).also(&STRANGE).start();
        let Err(PoolError::OtherTypes(theirs)) = error else {
            panic!("{error:?}");
        };
        assert!(theirs.contains("fn(u64) -> u64"), "{theirs}");
    });
}

#[test]
fn an_initialiser_leaves_its_data_in_every_worker() {
    watched(|| {
        let pool = builder(ADD, 2)
            .also(&CHORE)
            .initialiser(&LOAD, &100)
            .start();
        let pool = pool.expect("the pool starts");
        assert!(pool.share(&CHORE).call(Chore::Die).is_err());
        let outcomes = pool.map(0..40);
        assert!(
            (100..)
                .zip(outcomes)
                .all(|(sum, outcome)| outcome == Ok(sum))
        );
        let ledger = pool.shutdown(None);
        // What initialises workers is no task.
        assert_eq!((ledger.submitted, ledger.workers_lost), (41, 2));

        let error = builder(ADD, 2).initialiser(&LOAD, &13).start();
        let Err(PoolError::Initialiser(message)) = error else {
            panic!("{error:?}");
        };
        assert!(message.contains("13 is unlucky"), "{message}");
    });
}

#[cfg(target_os = "linux")]
/// Installs a subscriber where it is told to, and has it print; returns the process id.
const TRACED: Worker<bool, u32> = Worker::new("traced", |installs| {
    if installs {
        tracing_subscriber::fmt().init();
    }
    tracing::info!("a task");
    std::process::id()
});

#[test]
fn a_subscriber_here_and_one_in_each_worker_change_nothing() {
    // Of the whole test program: no other test has one.
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::sink);
    subscriber.init();
    watched(|| {
        let builder = TRACED.pool_builder().workers(count(1));
        let pool = builder.program(Program::test("ways::workers")).start();
        let pool = pool.expect("the harness runs it");
        let pid = pool.call(true).expect("it is the first there");
        let outcomes = pool.map([false; 10]);
        assert!(outcomes.into_iter().all(|outcome| outcome == Ok(pid)));
        let again = pool.call(true);
        let is_second = |message: &str| message.contains("subscriber");
        assert!(
            matches!(&again, Err(TaskError::Panicked { message, .. }) if is_second(message)),
            "{again:?}"
        );
        let ledger = pool.shutdown(None);
        let counts = (ledger.done, ledger.failed, ledger.workers_lost);
        assert_eq!(counts, (11, 1, 0));
    });
}

#[test]
fn a_worker_that_takes_more_memory_than_it_may_is_lost() {
    watched(|| {
        let pool = builder(functions::HOG, 1).retries(0);
        let pool = pool.resource_limit(Limit::MemoryBytes(1 << 30)).start();
        let pool = pool.expect("the pool starts");
        assert_eq!(pool.call(1 << 20), Ok(1 << 20));
        let outcome = pool.call(2 << 30);
        let exit = Exit::Signal(6);
        assert!(
            matches!(outcome, Err(TaskError::WorkerLost { exit: e, attempts: 1, .. }) if e == exit),
            "{outcome:?}"
        );
        assert_eq!(pool.call(1), Ok(1));
    });
}

#[test]
fn a_limit_that_this_process_keeps_itself_is_not_raised() {
    watched(|| {
        // Nobody may open so many, not even the superuser.
        let pool = builder(functions::HOG, 1).resource_limit(Limit::Files(u64::MAX - 1));
        let pool = pool.start().expect("the pool starts");
        assert_eq!(pool.call(1), Ok(1));
    });
}

/// They check themselves.
#[test]
fn the_examples_run() {
    let test = std::env::current_exe().expect("it has a name");
    let profile = test.ancestors().nth(2).map(Path::to_owned);
    for name in ["abort", "flood", "pages"] {
        let path = profile
            .clone()
            .expect("it is in a folder")
            .join("examples")
            .join(name);
        watched(move || {
            let output = Command::new(path).output().expect("`cargo test` builds it");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {said}");
        });
    }
}
