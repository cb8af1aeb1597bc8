//! The jobs in real worker processes.

use lab_04_gil_processes::{COUNT, Job, count_in_processes, count_sequential};
use process_pool::{
    ProcessPool, TaskError,
    child::{Exit, Program},
};
use std::num::NonZeroUsize;
use testing::assert_nothing_left_behind;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-04-gil-processes");

fn pool(workers: usize) -> ProcessPool<Job, u64> {
    let workers = NonZeroUsize::new(workers).expect("a pool has a worker");
    let builder = COUNT.pool_builder().workers(workers);
    builder
        .program(Program::at(BINARY))
        .start()
        .expect("workers start")
}

#[test]
fn processes_count_what_one_thread_counts() {
    for workers in 1..=8 {
        let pool = pool(workers);
        for steps in [vec![], vec![0], vec![3, 1, 2], (0..40).collect()] {
            let jobs: Vec<Job> = steps.iter().copied().map(Job::Count).collect();
            let done = count_in_processes(&pool, &jobs);
            let done: Result<Vec<u64>, _> = done.into_iter().collect();
            assert_eq!(done, Ok(count_sequential(&steps)));
        }
        assert!(pool.shutdown(None).balances());
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_job_that_crashes_takes_nothing_down_but_its_own_process() {
    for workers in 1..=4 {
        let pool = pool(workers);
        let jobs: Vec<Job> = (0..12)
            .map(|n| {
                if n % 5 == 0 {
                    Job::CrashHalfWay(n)
                } else {
                    Job::Count(n)
                }
            })
            .collect();
        for (job, done) in jobs.iter().zip(count_in_processes(&pool, &jobs)) {
            match (job, done) {
                (Job::Count(steps), Ok(done)) => assert_eq!(done, *steps),
                (
                    Job::CrashHalfWay(_),
                    Err(TaskError::WorkerLost {
                        exit, attempts: 1, ..
                    }),
                ) => {
                    if cfg!(unix) {
                        assert_eq!(exit, Exit::Signal(6));
                    }
                }
                (job, done) => panic!("{job:?} became {done:?} with {workers} workers"),
            }
        }
        let ledger = pool.shutdown(None);
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!((ledger.done, ledger.failed, ledger.retried), (9, 3, 0));
        assert_eq!(ledger.workers_lost, 3);
    }
    assert_nothing_left_behind(BINARY);
}
