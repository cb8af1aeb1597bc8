//! What spans are known to wait for.

use std::borrow::Cow;

/// What stands in the field `wait` of a span, what whoever waits does, as a legend says it, and its mark in a text
/// picture, `None` where it looks like any waiting.
pub type Cause = (&'static str, &'static str, Option<char>);

/// The causes that pictures, traces and pages know by name; any other is drawn as plain waiting.
pub const CAUSES: [Cause; 10] = [
    (IO, "waits for I/O", None),
    ("lock", "waits for a lock", Some('─')),
    ("queue full", "waits for room in a queue", Some('>')),
    ("queue empty", "waits for an item", Some('<')),
    ("join", "waits for others to end", None),
    ("permit", "waits for a permit", Some('·')),
    ("sleep", "sleeps", None),
    (BACK_OFF, "failed, then rests", Some('×')),
    ("barrier", "waits for others to come", None),
    ("turn", "waits for its turn", None),
];

/// Waiting for an answer from elsewhere.
pub const IO: &str = "io";

/// Resting after a failure.
pub const BACK_OFF: &str = "back-off";

/// The name, not copied where it is known: a span costs no allocation for it.
pub(super) fn interned(wait: &str) -> Cow<'static, str> {
    let known = CAUSES.iter().find(|cause| cause.0 == wait);
    known.map_or_else(|| Cow::Owned(wait.to_owned()), |cause| cause.0.into())
}
