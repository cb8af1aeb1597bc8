//! The jobs in real worker processes.

use lab_16_processes_vs_threads::{JOB, Job, PROGRAM, run_in_processes, run_one_by_one};
use process_pool::{TaskError, child::Program};
use std::num::NonZeroUsize;
use testing::assert_nothing_left_behind;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-16-processes-vs-threads");

fn jobs(count: u64) -> Vec<Job> {
    let steps = |seed| 1000 * (seed % 5);
    let job = |seed| Job::Compute {
        seed,
        steps: steps(seed),
    };
    (1..=count).map(job).collect()
}

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

#[test]
fn processes_return_what_one_thread_does_in_the_same_order() {
    for count in 1..=4 {
        let pool = JOB.pool_builder().workers(workers(count));
        let pool = pool.program(Program::at(BINARY)).start();
        let pool = pool.expect("workers start");
        for count in [0, 1, 3, 60] {
            let done: Result<Vec<_>, _> =
                run_in_processes(&pool, &jobs(count)).into_iter().collect();
            assert_eq!(done, Ok(run_one_by_one(&jobs(count))));
        }
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_worker_that_aborts_loses_its_job_and_no_other() {
    for at in [0, 2, 4] {
        let mut jobs = jobs(5);
        jobs[at] = Job::Abort;
        let pool = JOB.pool_builder().workers(workers(2));
        let pool = pool.program(Program::at(BINARY)).start();
        let done = run_in_processes(&pool.expect("workers start"), &jobs);
        for (index, done) in done.iter().enumerate() {
            assert_eq!(done.is_err(), index == at, "{index}: {done:?}");
        }
        assert!(matches!(done[at], Err(TaskError::WorkerLost { .. })));
    }
}

#[test]
fn a_program_of_threads_returns_all_or_with_an_abort_among_them_nothing() {
    let program = || {
        let program = PROGRAM.pool_builder().workers(workers(1));
        let program = program.program(Program::at(BINARY)).start();
        program.expect("the program starts")
    };
    for count in [0, 1, 7] {
        let done = program().call((workers(3), jobs(count)));
        assert_eq!(done, Ok(run_one_by_one(&jobs(count))));
    }
    for at in [0, 3, 6] {
        let mut jobs = jobs(7);
        jobs[at] = Job::Abort;
        let ended = program().call((workers(3), jobs));
        assert!(matches!(ended, Err(TaskError::WorkerLost { .. })));
    }
    assert_nothing_left_behind(BINARY);
}
