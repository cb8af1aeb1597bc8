//! A thread for every task at once, however many: in a process of its own, up to the limits.

use crate::limits::Room;
use measure::timing::Usage;
use process_pool::Worker;
use serde::{Deserialize, Serialize};
use std::{
    panic,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

/// Gathers a crowd in a worker process, so that whatever it takes is given back with that process.
pub const CROWD: Worker<Crowd, Gathered> = Worker::new("crowd", gather_quietly);

/// Enough for a thread that only waits; by default each would reserve 2 MiB.
const STACK_BYTES: usize = 64 * 1024;

/// How many threads are to be there at once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Crowd {
    /// How many.
    pub threads: usize,
}

/// How many threads there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    /// Threads that were there at once, each waiting for the last to come.
    pub started: usize,
    /// Why there were no more, in the system's words.
    pub refused: Option<String>,
    /// Most memory resident at once.
    pub peak_rss_bytes: Option<u64>,
    /// The same before the first thread.
    pub before_rss_bytes: Option<u64>,
}

/// Where threads wait until all are there.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(open, |open| !*open));
    }

    fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}

/// What a thread that finds no memory for its own start has to say, its process's end tells.
fn gather_quietly(crowd: Crowd) -> Gathered {
    panic::set_hook(Box::new(|_| {}));
    gather(crowd)
}

/// Starts threads that wait for each other until all are there or one is refused; ends them all.
pub fn gather(crowd: Crowd) -> Gathered {
    let before_rss_bytes = Usage::of_this_process().peak_rss_bytes;
    let gate = Arc::new(Gate::default());
    let mut threads = Vec::with_capacity(crowd.threads);
    let mut refused = None;
    let room = Room::left();
    while threads.len() < crowd.threads && refused.is_none() {
        refused = room.ends_at(threads.len() as u64).map(str::to_owned);
        if refused.is_some() {
            break;
        }
        let gate = Arc::clone(&gate);
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        match thread.spawn(move || gate.pass()) {
            Ok(thread) => threads.push(thread),
            Err(error) => refused = Some(error.to_string()),
        }
    }
    let peak_rss_bytes = Usage::of_this_process().peak_rss_bytes;
    gate.open();
    let started = threads.len();
    for thread in threads {
        // A thread that only waits has nothing to say at its end.
        let _ = thread.join();
    }
    Gathered {
        started,
        refused,
        peak_rss_bytes,
        before_rss_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_all_there_at_once_and_gone_afterwards() {
        for threads in [0, 1, 50] {
            let gathered = gather(Crowd { threads });
            assert_eq!((gathered.started, gathered.refused), (threads, None));
        }
    }
}
