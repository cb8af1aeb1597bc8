//! All orders of the steps of a small program: listed, forced on real threads, and found by a model
//! checker.
//!
//! A [`Race`] is ordinary code over atomics and locks, in which each thread calls `turn` before
//! each of its steps. A step is whatever it does until the next `turn`, or until its end. Between two
//! steps any thread may go on; a step itself is never interrupted, so no lock may be held from one
//! step to the next.
//!
//! - [`Schedule::all`] lists in how many orders the steps can happen;
//! - [`force`] runs the program on real threads in a given order;
//! - [`run()`] takes turns as they are given, and [`play`] asks the reader for them;
//! - [`explore`] has a model checker try every order, without knowing the list.
//!
//! # Examples
//! Two threads add one in two steps each. Of the six orders four lose an update:
//! ```
//! use interleave::{Race, Schedule, explore, failing, force};
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
//! let orders = Schedule::all(&[2, 2]);
//! assert_eq!(orders.len(), 6);
//! let played = force(&counter, &orders);
//! assert_eq!(failing(&played).count(), 4);
//! let steps: Vec<String> = played[1].steps.iter().map(ToString::to_string).collect();
//! assert_eq!(steps, ["A loads 0", "B loads 0", "A stores 1", "B stores 1"]);
//! assert_eq!(explore(counter), played);
//! ```

mod model;
pub mod play;
mod run;
mod schedule;

pub use model::{explore, failing};
pub use run::{Run, Stand, force, run};
pub use schedule::{Schedule, letter};

use serde::Serialize;
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

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

impl Step {
    /// A step that begins, whose value is not known yet.
    fn begun(thread: usize, name: &'static str) -> Self {
        let value = 0;
        Self {
            thread,
            name,
            value,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", letter(self.thread), self.name, self.value)
    }
}

/// One run of a program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Played {
    /// In what order the steps happened.
    pub schedule: Schedule,
    /// Each of them.
    pub steps: Vec<Step>,
    /// What came out.
    pub result: i64,
    /// What should have.
    pub expected: i64,
}

impl Played {
    /// Whether something else came out than should have.
    pub fn is_wrong(&self) -> bool {
        self.result != self.expected
    }
}

/// Opens what may have been left in mid-step by a panic, which ends the run anyway.
fn open<T>(notes: &Mutex<T>) -> MutexGuard<'_, T> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
