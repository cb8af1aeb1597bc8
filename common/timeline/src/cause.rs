//! What spans are known to wait for.

use std::borrow::Cow;

/// One cause of waiting, and how it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What stands in the field `wait` of a span.
    pub wait: &'static str,
    /// What whoever waits does, as a legend says it.
    pub words: &'static str,
    /// Its mark in a text picture; `None` where it looks like any waiting.
    pub mark: Option<char>,
}

/// The causes that pictures, traces and pages know by name; any other is drawn as plain waiting.
pub const CAUSES: [Cause; 10] = [
    cause(IO, "waits for I/O", None),
    cause("lock", "waits for a lock", Some('─')),
    cause("queue full", "waits for room in a queue", Some('>')),
    cause("queue empty", "waits for an item", Some('<')),
    cause("join", "waits for others to end", None),
    cause("permit", "waits for a permit", Some('·')),
    cause("sleep", "sleeps", None),
    cause(BACK_OFF, "failed, rests", Some('×')),
    cause("barrier", "waits for others to come", None),
    cause("turn", "waits for its turn", None),
];

/// Waiting for an answer from elsewhere.
pub const IO: &str = "io";

/// Resting after a failure.
pub const BACK_OFF: &str = "back-off";

const fn cause(wait: &'static str, words: &'static str, mark: Option<char>) -> Cause {
    Cause { wait, words, mark }
}

/// The name, not copied where it is known: a span costs no allocation for it.
pub(super) fn interned(wait: &str) -> Cow<'static, str> {
    let known = CAUSES.iter().find(|cause| cause.wait == wait);
    known.map_or_else(|| Cow::Owned(wait.to_owned()), |cause| cause.wait.into())
}
