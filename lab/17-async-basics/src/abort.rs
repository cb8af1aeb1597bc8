//! Aborting what has begun: a task stops at its next `await`, a blocking call does not stop.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
    mpsc as blocking,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

/// What became of tasks and calls that were aborted in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Aborted {
    /// Tasks aborted.
    pub tasks: usize,
    /// Those that reached their end all the same.
    pub tasks_ended: usize,
    /// Blocking calls aborted.
    pub calls: usize,
    /// Those that reached their end all the same.
    pub calls_ended: usize,
}

/// Begins `count` tasks and as many blocking calls, aborts all, and only then lets them go on.
///
/// For at most 512 calls: tokio has no more threads for such, and those in the queue never begin.
pub async fn abort_in_the_middle(count: usize) -> Aborted {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let [tasks_ended, calls_ended] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let go = Arc::new(Semaphore::new(0));
    let mut holds = Vec::with_capacity(count);
    let mut all = JoinSet::new();
    for number in 1..=count {
        let task = Passage {
            begun: begun.clone(),
            ended: Arc::clone(&tasks_ended),
        };
        all.spawn(pass(number, task, Arc::clone(&go)));
        let call = Passage {
            begun: begun.clone(),
            ended: Arc::clone(&calls_ended),
        };
        let (hold, held) = blocking::channel();
        holds.push(hold);
        all.spawn_blocking(move || pass_blocking(&call, &held));
    }
    for _ in 0..2 * count {
        begins.recv().await;
    }
    all.abort_all();
    go.add_permits(count);
    drop(holds);
    // What was aborted comes out of the set too.
    while all.join_next().await.is_some() {}
    Aborted {
        tasks: count,
        tasks_ended: tasks_ended.load(SeqCst),
        calls: count,
        calls_ended: calls_ended.load(SeqCst),
    }
}

/// A way with a beginning, where it is told, and an end, where it is counted.
struct Passage {
    begun: mpsc::UnboundedSender<()>,
    ended: Arc<AtomicUsize>,
}

impl Passage {
    fn begin(&self) {
        self.begun.send(()).expect("somebody counts the beginnings");
    }

    fn end(&self) {
        self.ended.fetch_add(1, SeqCst);
    }
}

#[tracing::instrument(name = "task", skip_all, fields(task = number, wait = "io"))]
async fn pass(number: usize, passage: Passage, go: Arc<Semaphore>) {
    passage.begin();
    let _permit = go.acquire().await;
    passage.end();
}

#[tracing::instrument(name = "blocking call", skip_all, fields(wait = "io"))]
fn pass_blocking(passage: &Passage, held: &blocking::Receiver<()>) {
    passage.begin();
    // Nothing is ever sent: it blocks until the other end is dropped.
    let _ = held.recv();
    passage.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_on_this_thread;

    #[test]
    fn aborted_tasks_end_at_their_await_and_aborted_calls_run_on() {
        for count in [0, 1, 7] {
            let aborted = run_on_this_thread(abort_in_the_middle(count));
            let expected = Aborted {
                tasks: count,
                tasks_ended: 0,
                calls: count,
                calls_ended: count,
            };
            assert_eq!(aborted.expect("a runtime starts"), expected);
        }
    }
}
