//! Chunks: one message with many tasks, whose answers outlive their worker.

use crate::{
    functions::{self, CHORE, Chore, LOG, SQUARE, square},
    support::{MeetingPoint, builder, check_at_rest, count, pool, watched},
};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use process_pool::ProcessPool;
use std::path::PathBuf;
use tempfile::TempDir;

/// A file for the runs of tasks, and the inputs of so many, every twentieth of which forks, or none.
fn logged(tasks: u64, forks: bool) -> (TempDir, PathBuf, Vec<(PathBuf, u64, bool)>) {
    let dir = tempfile::tempdir().expect("a place for a file");
    let path = dir.path().join("runs");
    std::fs::write(&path, "").expect("it is writable");
    let inputs = (0..tasks).map(|n| (path.clone(), n, forks && n % 20 == 10));
    let inputs = inputs.collect();
    (dir, path, inputs)
}

/// The tasks that were run, one for each run.
fn runs(path: &PathBuf) -> Vec<u64> {
    let lines = std::fs::read_to_string(path).expect("tasks wrote it");
    let mut runs: Vec<_> = lines.lines().flat_map(str::parse).collect();
    runs.sort_unstable();
    runs
}

fn kill_one_of(pool: &ProcessPool<(PathBuf, u64, bool), u64>) {
    if let Some(pid) = pool.worker_ids().first() {
        // It may be gone already.
        let _ = signal::kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
}

#[test]
fn what_a_killed_worker_has_done_of_a_chunk_is_not_done_again() {
    watched(|| {
        let (_dir, path, inputs) = logged(4_000, false);
        let pool = builder(LOG, 2).retries(1_000).chunk(count(200));
        let pool = pool.start().expect("the pool starts");
        let mut seen = 0;
        for (index, outcome) in pool.map_unordered(inputs) {
            assert_eq!(outcome, Ok(index as u64));
            seen += 1;
            if seen % 500 == 1 {
                kill_one_of(&pool);
            }
        }
        let (ledger, runs) = (pool.shutdown(None), runs(&path));
        assert_eq!((seen, ledger.done), (4_000, 4_000));
        assert!(ledger.workers_lost > 0, "{ledger:?}");
        // A run that was cut off may have written its line, or not.
        assert!(runs.len() as u64 <= 4_000 + ledger.retried, "{ledger:?}");
    });
}

#[test]
fn a_task_that_forks_and_returns_twice_has_the_rest_of_its_chunk_done_once() {
    watched(|| {
        let (_dir, path, inputs) = logged(200, true);
        let pool = builder(LOG, 2).chunk(count(50)).start();
        let pool = pool.expect("the pool starts");
        let outcomes: Result<Vec<_>, _> = pool.map(inputs).into_iter().collect();
        let all: Vec<_> = (0..200).collect();
        assert_eq!(outcomes, Ok(all.clone()));
        let ledger = pool.shutdown(None);
        assert_eq!((ledger.done, ledger.workers_lost), (200, 0));
        assert_eq!(runs(&path), all);
    });
}

/// Without its pipe a worker has only the shared memory left, which is Linux'.
#[cfg(target_os = "linux")]
#[test]
fn a_task_that_closes_the_pipe_in_mid_chunk_costs_no_other_task_anything() {
    watched(|| {
        let dir = tempfile::tempdir().expect("a place for a file");
        let (point, closing) = (
            MeetingPoint::new(),
            Chore::CloseAll(dir.path().join("file")),
        );
        let pool = builder(CHORE, 1).retries(0).chunk(count(3));
        let pool = pool.start().expect("the pool starts");
        let chores = vec![closing, Chore::Return, point.chore()];
        let mut outcomes = pool.map_unordered(chores);
        let met = point.meet();
        // Only the last is left when its worker ends.
        let done = outcomes.by_ref().take(2);
        assert_eq!(done.filter(|(_, end)| *end == Ok(met.pid)).count(), 2);
        let pid = met.pid;
        drop(met);
        assert_eq!(outcomes.next(), Some((2, Ok(pid))));
        check_at_rest(&pool);
    });
}

#[test]
fn outcomes_of_a_chunk_come_while_a_later_task_of_it_runs() {
    watched(|| {
        let (point, chores) = (MeetingPoint::new(), vec![Chore::Return; 9]);
        let pool = builder(CHORE, 1).chunk(count(10)).start();
        let pool = pool.expect("the pool starts");
        let chores = chores.into_iter().chain([point.chore()]);
        let mut outcomes = pool.map_unordered(chores.collect::<Vec<_>>());
        let met = point.meet();
        let done = outcomes.by_ref().take(9);
        assert_eq!(done.filter(|(_, end)| *end == Ok(met.pid)).count(), 9);
        drop(met);
        assert_eq!(outcomes.count(), 1);
    });
}

#[test]
fn answers_for_which_a_worker_has_no_room_come_all_the_same() {
    watched(|| {
        let pool = builder(functions::ECHO, 1).chunk(count(20)).start();
        let pool = pool.expect("the pool starts");
        // Small ones fit in behind those that do not.
        let sizes = (0..60).map(|n| if n % 3 == 0 { 1 } else { 300 << 10 });
        let inputs: Vec<_> = sizes.map(|size| vec![7; size]).collect();
        let outcomes: Result<Vec<_>, _> = pool.map(inputs.clone()).into_iter().collect();
        assert!(outcomes == Ok(inputs));
        assert_eq!(pool.shutdown(None).workers_lost, 0);
    });
}

#[test]
fn a_chunk_arrives_whole_where_a_pipe_holds_all_but_its_last_bytes() {
    watched(|| {
        let pool = builder(functions::ECHO, 1).chunk(count(3)).start();
        // The second ends right behind the 64 KiB that a worker reads at once.
        let inputs = [86, 65_470, 1_000].map(|size| vec![7; size]);
        let outcomes = pool.expect("the pool starts").map(inputs.clone());
        assert!(outcomes == inputs.map(Ok));
    });
}

#[test]
fn long_chunks_are_answered_in_full() {
    watched(|| {
        let pool = builder(SQUARE, 2).chunk(count(30_000)).start();
        let outcomes = pool.expect("the pool starts").map(0..100_000);
        assert!(
            (0..)
                .zip(outcomes)
                .all(|(n, outcome)| outcome == Ok(square(n)))
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_keeps_rubbish_is_replaced_and_no_task_is_lost() {
    watched(|| {
        let pool = pool(CHORE, 1);
        let mut chores = vec![Chore::Return; 40];
        chores[5] = Chore::Scribble;
        let outcomes = pool.map(chores);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(check_at_rest(&pool).workers_lost, 1);
    });
}
