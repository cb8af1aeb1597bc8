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

use measure::workload::io_wait_blocking;
use std::{
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, Builder, JoinHandle, ScopedJoinHandle},
    time::Duration,
};
use tracing::info_span;

/// How many threads there are and what each does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Threads: A, B and so on.
    pub threads: NonZeroUsize,
    /// Iterations of each.
    pub iterations: usize,
    /// How long an iteration waits before it says so.
    pub delay: Duration,
}

/// What join returns: the iterations that a thread made, or its panic.
pub type End = thread::Result<usize>;

const STARTS: &str = "the system starts a thread";

/// Does the part of every worker on the calling thread, one after another.
pub fn run_sequential(plan: Plan, say: &impl Fn(char, usize)) -> Vec<End> {
    let part = |name| Ok(iterate(plan, name, say));
    plan.names().map(part).collect()
}

/// Runs threads that borrow what they say things to: the scope does not end before they have.
pub fn run_scoped(plan: Plan, say: &(impl Fn(char, usize) + Sync)) -> Vec<End> {
    thread::scope(|scope| {
        let start = |name| {
            let worker = Builder::new().name(format!("worker {name}"));
            let started = worker.spawn_scoped(scope, move || iterate(plan, name, say));
            started.expect(STARTS)
        };
        let workers: Vec<_> = plan.names().map(start).collect();
        // Joined here and not by the end of the scope, which would pass a panic on.
        let waiting = info_span!("join", wait = "join");
        waiting.in_scope(|| workers.into_iter().map(ScopedJoinHandle::join).collect())
    })
}

/// Starts threads that own a share of what they say things to, and so may outlive this function.
///
/// With `panic_at`, the last thread panics when it comes to that iteration.
pub fn start_static<S>(plan: Plan, say: &Arc<S>, panic_at: Option<usize>) -> Vec<JoinHandle<usize>>
where
    S: Fn(char, usize) + Send + Sync + 'static,
{
    let last = plan.names().last();
    let start = |name| {
        let (say, worker) = (
            Arc::clone(say),
            Builder::new().name(format!("worker {name}")),
        );
        let panic_at = panic_at.filter(|_| Some(name) == last);
        let part = move || {
            iterate(plan, name, &|name, iteration| {
                // BUG (on purpose): nothing else in this thread runs after it, everything else does.
                assert!(
                    Some(iteration) != panic_at,
                    "iteration {iteration} went wrong"
                );
                say(name, iteration);
            })
        };
        worker.spawn(part).expect(STARTS)
    };
    plan.names().map(start).collect()
}

/// Waits for every thread in turn; a panic comes back as the error of its join.
#[tracing::instrument(name = "join", skip_all, fields(wait = "join"))]
pub fn join(workers: Vec<JoinHandle<usize>>) -> Vec<End> {
    workers.into_iter().map(JoinHandle::join).collect()
}

/// A worker's part: waits, says so, and again.
#[tracing::instrument(name = "iterate", skip_all, fields(wait = "sleep"))]
fn iterate(plan: Plan, name: char, say: &impl Fn(char, usize)) -> usize {
    for iteration in 1..=plan.iterations {
        io_wait_blocking(plan.delay);
        say(name, iteration);
    }
    plan.iterations
}

impl Plan {
    fn names(self) -> impl Iterator<Item = char> {
        ('A'..='Z').take(self.threads.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, mpsc};

    fn plan(threads: usize, iterations: usize) -> Plan {
        Plan {
            threads: NonZeroUsize::new(threads).expect("the tests count from one"),
            iterations,
            delay: Duration::ZERO,
        }
    }

    type Lines = Arc<Mutex<Vec<(char, usize)>>>;

    /// What is called to say something, and what was said.
    fn listen() -> (Arc<impl Fn(char, usize) + Send + Sync + 'static>, Lines) {
        let lines = Lines::default();
        let said = Arc::clone(&lines);
        let say = move |name, iteration| said.lock().unwrap().push((name, iteration));
        (Arc::new(say), lines)
    }

    fn made(ends: Vec<End>) -> Vec<Option<usize>> {
        ends.into_iter().map(Result::ok).collect()
    }

    #[test]
    fn threads_say_what_one_thread_says_and_each_in_order() {
        for threads in 1..=8 {
            for iterations in [0, 1, 3, 40] {
                let plan = plan(threads, iterations);
                let all = vec![Some(iterations); threads];
                let (say, alone) = listen();
                assert_eq!(made(run_sequential(plan, &*say)), all);
                let alone = alone.lock().unwrap().clone();
                assert_eq!(alone.len(), threads * iterations);
                assert!(alone.is_sorted(), "one part after the other");
                let (say, borrowed) = listen();
                assert_eq!(made(run_scoped(plan, &*say)), all);
                let (say, owned) = listen();
                assert_eq!(made(join(start_static(plan, &say, None))), all);
                for lines in [borrowed, owned] {
                    let mut lines = lines.lock().unwrap().clone();
                    // Stable: each worker's own lines keep their order.
                    lines.sort_by_key(|line| line.0);
                    assert_eq!(lines, alone);
                }
            }
        }
    }

    #[test]
    fn a_panic_comes_back_from_join_and_spares_the_others() {
        for at in 1..=3 {
            let (say, lines) = listen();
            let mut ends = join(start_static(plan(3, 3), &say, Some(at)));
            let panic = ends.pop().expect("three ends").expect_err("it panicked");
            let message = panic.downcast_ref::<String>();
            assert_eq!(message, Some(&format!("iteration {at} went wrong")));
            assert_eq!(made(ends), [Some(3), Some(3)]);
            assert_eq!(lines.lock().unwrap().len(), 6 + at - 1);
        }
    }

    #[test]
    fn a_thread_that_is_not_joined_runs_on_when_its_starter_has_returned() {
        let (tx, rx) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let say = Arc::new(move |name, iteration| {
            // It waits until the test lets it go on.
            gate.lock()
                .unwrap()
                .recv()
                .expect("the test holds the other end");
            tx.send((name, iteration)).expect("the test listens");
        });
        drop(start_static(plan(1, 1), &say, None));
        assert!(rx.try_recv().is_err(), "still at its line");
        go.send(()).expect("the thread listens");
        assert_eq!(rx.recv(), Ok(('A', 1)));
    }
}
