//! Two threads: start, interleave, join.
//!
//! A thread started by `thread::spawn` may outlive the function that started it, so it may not
//! borrow from there:
//!
//! ```compile_fail,E0373
//! let lines = std::sync::Mutex::new(vec!["main"]);
//! let worker = std::thread::spawn(|| lines.lock().unwrap().push("worker"));
//! worker.join().unwrap();
//! ```
//!
//! A scope waits for its threads, so they may:
//!
//! ```
//! let lines = std::sync::Mutex::new(vec!["main"]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| lines.lock().unwrap().push("worker"));
//! });
//! assert_eq!(lines.into_inner().unwrap(), ["main", "worker"]);
//! ```

mod notebook;

pub use notebook::{Line, Notebook};

use measure::workload::io_wait_blocking;
use std::{
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, Builder, JoinHandle, ScopedJoinHandle},
    time::Duration,
};

/// How many threads there are and what each does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads.
    pub threads: NonZeroUsize,
    /// Iterations of each.
    pub iterations: usize,
    /// How long an iteration waits before it is written down.
    pub delay: Duration,
}

/// What join returns: the iterations that a thread made, or its panic.
pub type End = thread::Result<usize>;

const STARTS: &str = "the system starts a thread";

/// Does the part of every worker on the calling thread, one after another.
pub fn run_sequential(plan: Plan, notebook: &Notebook) -> Vec<End> {
    let part = |name: String| Ok(iterate(plan, &name, notebook));
    names(plan).map(part).collect()
}

/// Runs threads that borrow the notebook: the scope does not end before they have.
pub fn run_scoped(plan: Plan, notebook: &Notebook) -> Vec<End> {
    thread::scope(|scope| {
        let start = |name: String| {
            let builder = Builder::new().name(name.clone());
            let worker = builder.spawn_scoped(scope, move || iterate(plan, &name, notebook));
            worker.expect(STARTS)
        };
        let workers = names(plan).map(start).collect();
        // Joined here and not by the end of the scope, which would pass a panic on.
        join_scoped(workers)
    })
}

/// Starts threads that own a share of the notebook, and so may outlive this function.
pub fn start_static(plan: Plan, notebook: &Arc<Notebook>) -> Vec<JoinHandle<usize>> {
    let start = |name: String| {
        let notebook = Arc::clone(notebook);
        let builder = Builder::new().name(name.clone());
        let worker = builder.spawn(move || iterate(plan, &name, &notebook));
        worker.expect(STARTS)
    };
    names(plan).map(start).collect()
}

/// As [`start_static`], but the last thread panics when it comes to the iteration `panic_at`.
pub fn start_panicking(
    plan: Plan,
    notebook: &Arc<Notebook>,
    panic_at: usize,
) -> Vec<JoinHandle<usize>> {
    let start = |(number, name): (usize, String)| {
        let notebook = Arc::clone(notebook);
        let unlucky = number == plan.threads.get();
        let builder = Builder::new().name(name.clone());
        let worker = builder.spawn(move || match unlucky {
            false => iterate(plan, &name, &notebook),
            true => iterate_until_a_panic(plan, &name, &notebook, panic_at),
        });
        worker.expect(STARTS)
    };
    (1..).zip(names(plan)).map(start).collect()
}

/// Waits for every thread in turn; a panic comes back as the error of its join.
#[tracing::instrument(name = "join", skip_all, fields(wait = "join"))]
pub fn join(workers: Vec<JoinHandle<usize>>) -> Vec<End> {
    workers.into_iter().map(JoinHandle::join).collect()
}

/// As [`join`], for threads of a scope.
#[tracing::instrument(name = "join", skip_all, fields(wait = "join"))]
fn join_scoped(workers: Vec<ScopedJoinHandle<'_, usize>>) -> Vec<End> {
    workers.into_iter().map(ScopedJoinHandle::join).collect()
}

/// A worker's part: waits, writes a line, and again.
#[tracing::instrument(name = "iterate", skip_all, fields(wait = "sleep"))]
fn iterate(plan: Plan, name: &str, notebook: &Notebook) -> usize {
    for iteration in 1..=plan.iterations {
        io_wait_blocking(plan.delay);
        notebook.write(name, iteration);
    }
    plan.iterations
}

/// A worker's part with a bug in it.
#[tracing::instrument(name = "iterate", skip_all, fields(wait = "sleep"))]
fn iterate_until_a_panic(plan: Plan, name: &str, notebook: &Notebook, panic_at: usize) -> usize {
    for iteration in 1..=plan.iterations {
        io_wait_blocking(plan.delay);
        // BUG (on purpose): nothing else in this thread runs after it, everything else does.
        assert!(iteration != panic_at, "iteration {iteration} went wrong");
        notebook.write(name, iteration);
    }
    plan.iterations
}

/// The workers' names: `worker A`, `worker B` …
fn names(plan: Plan) -> impl Iterator<Item = String> {
    let letters = ('A'..='Z').map(|letter| format!("worker {letter}"));
    letters.take(plan.threads.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn plan(threads: usize, iterations: usize) -> Plan {
        Plan {
            threads: NonZeroUsize::new(threads).expect("the tests count from one"),
            iterations,
            delay: Duration::ZERO,
        }
    }

    fn sorted(notebook: &Notebook) -> Vec<Line> {
        let mut lines = notebook.open().clone();
        lines.sort();
        lines
    }

    fn made(ends: Vec<End>) -> Vec<Option<usize>> {
        ends.into_iter().map(Result::ok).collect()
    }

    #[test]
    fn threads_write_the_lines_that_one_thread_writes() {
        for threads in 1..=8 {
            for iterations in [0, 1, 3, 40] {
                let plan = plan(threads, iterations);
                let all = vec![Some(iterations); threads];
                let (alone, borrowed, owned) =
                    (Notebook::default(), Notebook::default(), Arc::default());
                assert_eq!(made(run_sequential(plan, &alone)), all);
                assert_eq!(made(run_scoped(plan, &borrowed)), all);
                assert_eq!(made(join(start_static(plan, &owned))), all);
                assert_eq!(alone.open().len(), threads * iterations);
                assert!(alone.open().is_sorted(), "one part after the other");
                for notebook in [&borrowed, owned.as_ref()] {
                    assert_eq!(sorted(notebook), sorted(&alone));
                }
            }
        }
    }

    #[test]
    fn every_worker_writes_its_own_lines_in_order() {
        let notebook = Notebook::default();
        run_scoped(plan(3, 20), &notebook);
        for name in ["worker A", "worker B", "worker C"] {
            let lines = notebook.open();
            let own = lines.iter().filter(|line| line.worker == name);
            assert!(own.map(|line| line.iteration).eq(1..=20));
        }
    }

    #[test]
    fn a_panic_comes_back_from_join_and_spares_the_others() {
        for at in 1..=3 {
            let notebook = Arc::default();
            let mut ends = join(start_panicking(plan(3, 3), &notebook, at));
            let panic = ends.pop().expect("three ends").expect_err("it panicked");
            let message = panic.downcast_ref::<String>();
            assert_eq!(message, Some(&format!("iteration {at} went wrong")));
            assert_eq!(made(ends), [Some(3), Some(3)]);
            assert_eq!(notebook.open().len(), 6 + at - 1);
        }
    }

    #[test]
    fn a_thread_that_is_not_joined_runs_on_when_its_starter_has_returned() {
        let (tx, rx) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let notebook = Arc::new(Notebook::printing(move |line: &Line| {
            // The line waits until the test lets it be written.
            let gate = gate.lock().expect("no thread panics here");
            gate.recv().expect("the test holds the other end");
            tx.send(line.clone()).expect("the test listens");
        }));
        drop(start_static(plan(1, 1), &notebook));
        assert!(rx.try_recv().is_err(), "still at its line");
        go.send(()).expect("the thread listens");
        let line = rx.recv().expect("it runs on");
        assert_eq!((line.worker.as_str(), line.iteration), ("worker A", 1));
    }
}
