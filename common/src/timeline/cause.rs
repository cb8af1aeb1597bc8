//! What spans are known to wait for.

use std::borrow::Cow;

/// One cause of waiting, and how it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What stands in the field `wait` of a span.
    pub wait: &'static str,
    /// What it means, as in "3 lanes wait for a lock".
    pub words: &'static str,
    /// Its mark in a text picture, and that in plain ASCII; `None` where it looks like any waiting.
    pub marks: Option<(char, char)>,
}

/// The causes that pictures, traces and pages know by name; any other is drawn as plain waiting.
pub const CAUSES: [Cause; 10] = [
    cause(IO, "for I/O", None),
    cause("lock", "for a lock", Some(('─', '-'))),
    cause("queue full", "for room in a queue", Some(('>', '>'))),
    cause("queue empty", "for something in a queue", Some(('<', '<'))),
    cause("join", "for others to end", None),
    cause("permit", "for a permit", Some(('·', ':'))),
    cause("sleep", "for a time to pass", None),
    cause(BACK_OFF, "after a failure", Some(('×', 'x'))),
    cause("barrier", "for others to come", None),
    cause("turn", "for its turn", None),
];

/// Waiting for an answer from elsewhere.
pub const IO: &str = "io";

/// Resting after a failure.
pub const BACK_OFF: &str = "back-off";

const fn cause(wait: &'static str, words: &'static str, marks: Option<(char, char)>) -> Cause {
    Cause { wait, words, marks }
}

/// The cause with this name, if it is one of the known.
pub fn known_cause(wait: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.wait == wait)
}

/// The name, not copied where it is known: a span costs no allocation for it.
pub(super) fn interned(wait: &str) -> Cow<'static, str> {
    known_cause(wait).map_or_else(|| Cow::Owned(wait.to_owned()), |cause| cause.wait.into())
}
