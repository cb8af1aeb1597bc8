//! Locks, what they cost, what reentrancy is for, how they deadlock, and what poison is.
//!
//! A reentrant lock may be held several times over by one thread, so it hands out shared access
//! only; to change what it protects takes a `Cell` or a `RefCell` inside:
//!
//! ```compile_fail,E0594
//! let counter = parking_lot::ReentrantMutex::new(0);
//! *counter.lock() += 1;
//! ```
//!
//! A guard belongs to the thread that locked; it cannot be unlocked by another:
//!
//! ```compile_fail,E0277
//! let counter = std::sync::Mutex::new(0);
//! let held = counter.lock().unwrap();
//! std::thread::scope(|scope| {
//!     scope.spawn(move || drop(held));
//! });
//! ```

pub mod count;
pub mod deadlock;
pub mod lock;
pub mod nested;
pub mod poison;
pub mod read;
pub mod registry;
pub mod watched;

use std::{io, num::NonZeroUsize, panic::resume_unwind, sync::RwLock, thread};

/// Runs `work` on `threads` threads that begin together, each with its number from 0; joins them
/// all and returns what each made.
fn on_threads<T: Send>(
    threads: NonZeroUsize,
    work: impl Fn(usize) -> T + Sync,
) -> io::Result<Vec<T>> {
    // The start: everybody waits to read what is locked for writing until all are there. A barrier
    // would wait for ever for a thread that the system refused to start.
    let start = RwLock::new(());
    thread::scope(|scope| {
        let closed = start.write().expect("nobody panics with it");
        let (work, start) = (&work, &start);
        let begin = |number| {
            let thread = thread::Builder::new().name(format!("thread {}", number + 1));
            thread.spawn_scoped(scope, move || {
                drop(start.read().expect("nobody panics with it"));
                work(number)
            })
        };
        let begun: io::Result<Vec<_>> = (0..threads.get()).map(begin).collect();
        drop(closed);
        let made = begun?.into_iter().map(|thread| thread.join());
        Ok(made
            .map(|made| made.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{panic::catch_unwind, sync::Barrier};

    #[test]
    fn the_threads_are_all_there_at_once_and_return_in_order() {
        for threads in 1..=8 {
            let meeting = Barrier::new(threads);
            let threads = NonZeroUsize::new(threads).expect("counted from one");
            let made = on_threads(threads, |number| {
                meeting.wait();
                number
            });
            let made = made.expect("threads start");
            assert!(made.into_iter().eq(0..threads.get()));
        }
    }

    #[test]
    fn a_panic_is_passed_on() {
        let three = NonZeroUsize::new(3).expect("not zero");
        let panicked = catch_unwind(|| on_threads(three, |_| resume_unwind(Box::new(41))));
        let payload = panicked.map(|_: io::Result<Vec<()>>| ());
        let payload = payload.expect_err("the threads panic");
        assert_eq!(payload.downcast_ref(), Some(&41));
    }
}
