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
pub mod nested;
pub mod poison;
pub mod read;

use std::{
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::Barrier,
    thread::{self, Builder},
};

/// Runs `work` on threads that begin together, each with its number from 0; returns what each made.
fn on_threads<T: Send>(threads: NonZeroUsize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads.get());
    let (work, start) = (&work, &start);
    thread::scope(|scope| {
        let begin = |number| {
            let thread = Builder::new().name(format!("thread {}", number + 1));
            let begun = thread.spawn_scoped(scope, move || {
                start.wait();
                work(number)
            });
            begun.expect("the system starts a thread")
        };
        let begun: Vec<_> = (0..threads.get()).map(begin).collect();
        let made = begun.into_iter().map(|thread| thread.join());
        made.map(|made| made.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}
