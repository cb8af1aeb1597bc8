//! The jobs in real worker processes, and a program of threads watched from here.

use lab_16_processes_vs_threads::{
    JOB, Job, isolation::watch_threads, run_in_processes, run_one_by_one,
};
use process_pool::{
    TaskError,
    child::{Exit, Program},
};
use std::{num::NonZeroUsize, time::Duration};
use testing::assert_nothing_left_behind;

const BINARY: &str = env!("CARGO_BIN_EXE_lab-16-processes-vs-threads");
const PATIENCE: Duration = Duration::from_secs(60);

fn jobs(count: u64) -> Vec<Job> {
    let steps = |seed| 1000 * (seed % 5);
    let job = |seed| Job::Work {
        seed,
        steps: steps(seed),
    };
    (1..=count).map(job).collect()
}

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

fn values(done: &[lab_16_processes_vs_threads::Done]) -> Vec<u64> {
    done.iter().map(|done| done.value).collect()
}

#[test]
fn processes_bring_back_what_one_thread_does_in_the_same_order() {
    for count in 1..=4 {
        let pool = JOB.pool_builder().workers(workers(count));
        let pool = pool.program(Program::at(BINARY)).start();
        let pool = pool.expect("workers start");
        for count in [0, 1, 3, 60] {
            let done: Result<Vec<_>, _> =
                run_in_processes(&pool, &jobs(count)).into_iter().collect();
            let done = done.expect("no job fails");
            assert_eq!(values(&done), values(&run_one_by_one(&jobs(count))));
            assert!(done.iter().all(|one| one.process_id != std::process::id()));
        }
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_worker_that_aborts_takes_its_job_with_it_and_no_other() {
    for at in [0, 2, 4] {
        let mut jobs = jobs(5);
        jobs[at] = Job::AbortHalfWay {
            seed: 1,
            steps: 1000,
        };
        let pool = JOB.pool_builder().workers(workers(2)).retries(0);
        let pool = pool.program(Program::at(BINARY)).start();
        let done = run_in_processes(&pool.expect("workers start"), &jobs);
        for (index, done) in done.iter().enumerate() {
            assert_eq!(done.is_err(), index == at, "{index}: {done:?}");
        }
        assert!(matches!(done[at], Err(TaskError::WorkerLost { .. })));
    }
}

#[test]
fn a_program_of_threads_hands_over_all_or_with_an_abort_among_them_nothing() {
    let program = Program::at(BINARY);
    for count in [0, 1, 7] {
        let watched = watch_threads(&program, workers(3), &jobs(count), PATIENCE);
        let watched = watched.expect("the program starts");
        let expected = values(&run_one_by_one(&jobs(count)));
        assert_eq!(values(&watched.handed_over), expected);
        assert_eq!(watched.exit, Exit::Code(0));
        let there = |done: &lab_16_processes_vs_threads::Done| done.process_id;
        assert!(
            watched
                .handed_over
                .iter()
                .map(there)
                .all(|id| id == watched.process_id)
        );
    }
    for at in [0, 3, 6] {
        let mut jobs = jobs(7);
        jobs[at] = Job::AbortHalfWay { seed: 1, steps: 0 };
        let watched = watch_threads(&program, workers(3), &jobs, PATIENCE);
        let watched = watched.expect("the program starts");
        assert_eq!(watched.handed_over, []);
        #[cfg(unix)]
        assert_eq!(watched.exit, Exit::Signal(6));
    }
    assert_nothing_left_behind(BINARY);
}

#[test]
fn a_program_that_does_not_end_in_time_is_killed() {
    let endless = [Job::Wait {
        number: 1,
        duration: Duration::from_secs(3600),
    }];
    let limit = Duration::from_millis(50);
    let watched = watch_threads(&Program::at(BINARY), workers(1), &endless, limit);
    let watched = watched.expect("the program starts");
    assert_eq!(watched.handed_over, []);
    #[cfg(unix)]
    assert_eq!(watched.exit, Exit::Signal(9));
    assert_nothing_left_behind(BINARY);
}
