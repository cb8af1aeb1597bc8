//! A thread for every task at once, however many: in a process of its own, up to the limits.

use measure::{limits, timing::Usage};
use process_pool::Worker;
use serde::{Deserialize, Serialize};
use std::{panic, sync::RwLock, thread};

/// Starts a crowd in a worker process, so that whatever it takes is given back with that process.
pub const CROWD: Worker<usize, Crowd> = Worker::new("crowd", gather_quietly);

/// Enough for a thread that only waits; by default each would reserve 2 MiB.
const STACK_BYTES: usize = 64 * 1024;

/// How many threads there were at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// Threads that were there at once, each waiting for the last one to start.
    pub started: usize,
    /// Why there were no more.
    pub refused: Option<String>,
    /// Most memory resident at once.
    pub peak_rss_bytes: Option<u64>,
    /// The same before the first thread.
    pub before_rss_bytes: Option<u64>,
}

/// A thread that finds no memory for its own start panics; the end of its process says enough.
fn gather_quietly(threads: usize) -> Crowd {
    panic::set_hook(Box::new(|_| {}));
    gather(threads)
}

/// Starts threads that wait until all are there or one is refused; ends them all.
pub fn gather(threads: usize) -> Crowd {
    let before_rss_bytes = Usage::of_this_process().peak_rss_bytes;
    let allowed = limits::threads_allowed(STACK_BYTES);
    let allowed = allowed.filter(|limit| limit.value < threads as u64);
    let most = allowed.map_or(threads, |limit| limit.value as usize);
    let mut refused = allowed.map(|limit| format!("no more {}", limit.name));
    let gate = RwLock::new(());
    thread::scope(|scope| {
        let closed = gate.write();
        let mut started = 0;
        while started < most {
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            if let Err(error) = thread.spawn_scoped(scope, || drop(gate.read())) {
                refused = Some(error.to_string());
                break;
            }
            started += 1;
        }
        let peak_rss_bytes = Usage::of_this_process().peak_rss_bytes;
        drop(closed);
        Crowd {
            started,
            refused,
            peak_rss_bytes,
            before_rss_bytes,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_all_there_at_once() {
        for threads in [0, 1, 50] {
            let crowd = gather(threads);
            assert_eq!((crowd.started, crowd.refused), (threads, None));
        }
    }
}
