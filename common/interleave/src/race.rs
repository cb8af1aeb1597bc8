//! A small program of a few threads, written so that each step can be told apart.

/// What stands before each step; it takes the name of the step.
pub type Turn<'a> = &'a dyn Fn(&'static str);

/// What a thread does, by its number.
pub type Work<S> = Box<dyn Fn(&S, usize, Turn<'_>) + Send + Sync>;

/// A small program of a few threads, over what they share.
pub struct Race<S> {
    /// How many threads it has.
    pub threads: usize,
    /// What they share, at the start of a run.
    pub share: fn() -> S,
    /// What the thread of a number, from 0, does; it calls `turn` with a name before each step.
    pub run: Work<S>,
    /// The value that the step of a name has read or left; it is asked right after the step.
    pub value: fn(&S, &str) -> i64,
    /// What came out, after all threads have finished.
    pub result: fn(&S) -> i64,
    /// What should come out.
    pub expected: i64,
}
