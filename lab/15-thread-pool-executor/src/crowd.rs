//! A thread for every task, all there at once: in a process of its own, up to the limits.

use measure::limits;
use process_pool::Worker;
use std::{sync::RwLock, thread};

/// Starts a crowd in a worker process, which gives back all that it took when it ends.
pub const CROWD: Worker<usize, Crowd> = Worker::new("crowd", gather);

/// Enough for a thread that only waits; by default each would reserve 2 MiB.
const STACK_BYTES: usize = 64 * 1024;

/// How many threads were there at once, each waiting for the last one to start; and why no more were.
pub type Crowd = (usize, Option<String>);

/// Starts threads that wait until all are there or one is refused; ends them all.
pub fn gather(threads: usize) -> Crowd {
    // Past some limits a thread fails in mid-start and ends its process: stop short of those.
    let allowed = limits::threads_allowed(STACK_BYTES);
    let allowed = allowed.filter(|limit| limit.value < threads as u64);
    let most = allowed.map_or(threads, |limit| limit.value as usize);
    let mut refused = allowed.map(|limit| format!("no more {}", limit.name));
    let gate = RwLock::new(());
    let mut started = 0;
    thread::scope(|scope| {
        let closed = gate.write();
        while started < most {
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            if let Err(error) = thread.spawn_scoped(scope, || drop(gate.read())) {
                refused = Some(error.to_string());
                break;
            }
            started += 1;
        }
        drop(closed);
    });
    (started, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_all_there_at_once() {
        for threads in [0, 1, 50] {
            assert_eq!(gather(threads), (threads, None));
        }
    }
}
