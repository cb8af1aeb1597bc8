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
mod panics;

pub use notebook::{Line, Notebook};

use measure::workload::io_wait_blocking;
use process_pool::panics::message;
use std::{
    io,
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle, ScopedJoinHandle},
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

/// What join returns, its error in words: the iterations that a thread made, or its panic.
pub type End = Result<usize, String>;

/// Does the part of every worker on the calling thread, one after another.
pub fn run_sequential(plan: Plan, notebook: &Notebook) -> Vec<End> {
    let part = |name: String| Ok(iterate(plan, &name, notebook));
    names(plan).map(part).collect()
}

/// Runs threads that borrow the notebook: the scope does not end before they have.
///
/// # Errors
/// The system refuses to start another thread.
pub fn run_scoped(plan: Plan, notebook: &Notebook) -> io::Result<Vec<End>> {
    thread::scope(|scope| {
        let start = |name: String| {
            let builder = thread::Builder::new().name(name.clone());
            builder.spawn_scoped(scope, move || iterate(plan, &name, notebook))
        };
        let workers: Vec<_> = names(plan).map(start).collect::<io::Result<_>>()?;
        // Joined here and not by the end of the scope, which would pass a panic on.
        Ok(join_scoped(workers))
    })
}

/// Starts threads that own a share of the notebook, and so may outlive this function.
///
/// # Errors
/// The system refuses to start another thread; those that were started run on.
pub fn start_static(plan: Plan, notebook: &Arc<Notebook>) -> io::Result<Vec<JoinHandle<usize>>> {
    let start = |name: String| {
        let notebook = Arc::clone(notebook);
        let builder = thread::Builder::new().name(name.clone());
        builder.spawn(move || iterate(plan, &name, &notebook))
    };
    names(plan).map(start).collect()
}

/// As [`start_static`], but the last thread panics when it comes to the iteration `panic_at`.
///
/// # Errors
/// The system refuses to start another thread; those that were started run on.
pub fn start_panicking(
    plan: Plan,
    notebook: &Arc<Notebook>,
    panic_at: usize,
) -> io::Result<Vec<JoinHandle<usize>>> {
    let start = |(number, name): (usize, String)| {
        let notebook = Arc::clone(notebook);
        let unlucky = number == plan.threads.get();
        let builder = thread::Builder::new().name(name.clone());
        builder.spawn(move || match unlucky {
            false => iterate(plan, &name, &notebook),
            true => iterate_until_a_panic(plan, &name, &notebook, panic_at),
        })
    };
    (1..).zip(names(plan)).map(start).collect()
}

/// Waits for every thread in turn; a panic comes back as the error of its join.
#[tracing::instrument(name = "join", skip_all, fields(wait = "join"))]
pub fn join(workers: Vec<JoinHandle<usize>>) -> Vec<End> {
    let ends = workers.into_iter().map(JoinHandle::join);
    ends.map(|end| end.map_err(|panic| message(panic.as_ref())))
        .collect()
}

/// As [`join`], for threads of a scope.
#[tracing::instrument(name = "join", skip_all, fields(wait = "join"))]
fn join_scoped(workers: Vec<ScopedJoinHandle<'_, usize>>) -> Vec<End> {
    let ends = workers.into_iter().map(ScopedJoinHandle::join);
    ends.map(|end| end.map_err(|panic| message(panic.as_ref())))
        .collect()
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
    panics::keep_off_the_terminal();
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
        let mut lines = notebook.lines();
        lines.sort();
        lines
    }

    #[test]
    fn threads_write_the_lines_that_one_thread_writes() {
        for threads in 1..=8 {
            for iterations in [0, 1, 3, 40] {
                let plan = plan(threads, iterations);
                let ends = vec![Ok(iterations); threads];
                let alone = Notebook::default();
                assert_eq!(run_sequential(plan, &alone), ends);
                let borrowed = Notebook::default();
                assert_eq!(run_scoped(plan, &borrowed).expect("threads start"), ends);
                let owned = Arc::default();
                let workers = start_static(plan, &owned).expect("threads start");
                assert_eq!(join(workers), ends);
                assert_eq!(alone.count(), threads * iterations);
                for notebook in [&borrowed, owned.as_ref()] {
                    assert_eq!(sorted(notebook), sorted(&alone));
                }
            }
        }
    }

    #[test]
    fn every_worker_writes_its_own_lines_in_order() {
        let notebook = Notebook::default();
        run_scoped(plan(3, 20), &notebook).expect("threads start");
        for name in ["worker A", "worker B", "worker C"] {
            let lines = notebook.lines().into_iter();
            let own = lines.filter(|line| line.worker == name);
            assert!(own.map(|line| line.iteration).eq(1..=20));
        }
    }

    #[test]
    fn what_is_looked_at_is_told_between_the_lines_counted_and_the_next() {
        let notebook = Notebook::default();
        for made in 0..3 {
            let mut told = None;
            assert_eq!(notebook.look(|count| told = Some(count)), made);
            assert_eq!(told, Some(made));
            notebook.write("worker A", made + 1);
        }
    }

    #[test]
    fn one_thread_alone_does_one_part_after_the_other() {
        let notebook = Notebook::default();
        run_sequential(plan(3, 4), &notebook);
        assert_eq!(notebook.changes(), 2);
    }

    #[test]
    fn a_panic_comes_back_from_join_and_spares_the_others() {
        for at in 1..=3 {
            let notebook = Arc::default();
            let workers = start_panicking(plan(3, 3), &notebook, at).expect("threads start");
            let ends = join(workers);
            assert_eq!(ends[..2], [Ok(3), Ok(3)]);
            assert_eq!(ends[2], Err(format!("iteration {at} went wrong")));
            assert_eq!(notebook.count(), 6 + at - 1);
        }
    }

    #[test]
    fn a_thread_that_nobody_joins_runs_on_when_its_starter_has_returned() {
        let (tx, rx) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let notebook = Arc::new(Notebook::telling(move |line: &Line| {
            // The line waits until the test lets it be written.
            let gate = gate.lock().expect("nobody panics here");
            gate.recv().expect("the test holds the other end");
            tx.send(line.clone()).expect("the test listens");
        }));
        drop(start_static(plan(1, 1), &notebook).expect("a thread starts"));
        assert!(rx.try_recv().is_err(), "still at its line");
        go.send(()).expect("the thread listens");
        let line = rx.recv().expect("it runs on");
        assert_eq!((line.worker.as_str(), line.iteration), ("worker A", 1));
    }
}
