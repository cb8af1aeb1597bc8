//! A program put together from its parts.

use crate::Program;

/// What stands before each step; it takes the name of the step.
pub type Turn<'a> = &'a dyn Fn(&'static str);

/// What a thread does, by its number.
pub type Work<S> = Box<dyn Fn(&S, usize, Turn<'_>) + Send + Sync>;

/// A program over what its threads share.
pub struct Race<S> {
    /// How many threads it has.
    pub threads: usize,
    /// What they share, at the start of a run.
    pub share: fn() -> S,
    /// What each does.
    pub run: Work<S>,
    /// The value that a step has read or left.
    pub value: fn(&S, &str) -> i64,
    /// What came out.
    pub result: fn(&S) -> i64,
    /// What should come out.
    pub expected: i64,
}

impl<S: Send + Sync> Program for Race<S> {
    type Shared = S;

    fn threads(&self) -> usize {
        self.threads
    }

    fn share(&self) -> S {
        (self.share)()
    }

    fn run(&self, shared: &S, thread: usize, turn: Turn<'_>) {
        (self.run)(shared, thread, turn);
    }

    fn value(&self, shared: &S, step: &str) -> i64 {
        (self.value)(shared, step)
    }

    fn result(&self, shared: &S) -> i64 {
        (self.result)(shared)
    }

    fn expected(&self) -> i64 {
        self.expected
    }
}
