//! All orders of the steps of a small program, each forced on real threads.
//!
//! A [`Race`] is ordinary code over atomics and locks, in which each thread calls `turn` before
//! each of its steps. A step is whatever it does until the next `turn`, or until its end. Between two
//! steps any thread may go on; a step itself is never interrupted, so no lock may be held from one
//! step to the next.
//!
//! - [`run()`] runs the program in a given order, and [`play`] asks the reader for it;
//! - [`explore`] tries every order.
//!
//! # Examples
//! Two threads add one in two steps each. Of the six orders four lose an update:
//! ```
//! use interleave::{Race, explore, failing, run};
//! use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
//!
//! let counter = Race {
//!     threads: 2,
//!     share: || AtomicI64::new(0),
//!     run: Box::new(|counter: &AtomicI64, _thread, turn| {
//!         turn("loads");
//!         let seen = counter.load(SeqCst);
//!         turn("stores");
//!         counter.store(seen + 1, SeqCst);
//!     }),
//!     value: |counter, _step| counter.load(SeqCst),
//!     result: |counter| counter.load(SeqCst),
//!     expected: 2,
//! };
//!
//! let forced = run(&counter, &[0, 1, 0, 1]);
//! let steps: Vec<String> = forced.steps.iter().map(ToString::to_string).collect();
//! assert_eq!(steps, ["A loads 0", "B loads 0", "A stores 1", "B stores 1"]);
//!
//! let orders = explore(&counter);
//! assert_eq!(orders.len(), 6);
//! assert_eq!(failing(&orders).count(), 4);
//! assert_eq!(orders[1], forced);
//! ```

pub mod play;
mod run;
mod schedule;
#[cfg(test)]
mod tests;

pub use run::{Run, Stand, explore, failing, run};
pub use schedule::Schedule;

use schedule::letter;
use serde::Serialize;
use std::fmt;

/// What stands before each step; it takes the name of the step.
pub type Turn<'a> = &'a dyn Fn(&'static str);

/// What a thread does, by its number from 0; it calls `turn` with a name before each step.
pub type Work<S> = Box<dyn Fn(&S, usize, Turn<'_>) + Send + Sync>;

/// A small program of a few threads, written so that each step can be told apart.
pub struct Race<S> {
    /// How many threads it has.
    pub threads: usize,
    /// What they share, as it is at the start of a run.
    pub share: fn() -> S,
    /// What each does.
    pub run: Work<S>,
    /// The value that the step of this name has read or left; it is asked right after the step.
    pub value: fn(&S, &str) -> i64,
    /// What came out, after all threads have finished.
    pub result: fn(&S) -> i64,
    /// What should come out.
    pub expected: i64,
}

/// One step: which thread did what, and the value that it read or left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// The number of the thread.
    pub thread: usize,
    /// What it did.
    pub name: &'static str,
    /// The value that it read or left.
    pub value: i64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", letter(self.thread), self.name, self.value)
    }
}
