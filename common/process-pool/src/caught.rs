//! Panics of tasks as values: message and place, and nothing on the terminal.

use crate::{TaskError, panics};
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::{Cell, RefCell},
    mem,
    panic::{self, AssertUnwindSafe},
};

thread_local! {
    static IS_KEPT: Cell<bool> = const { Cell::new(false) };
    /// The panic that is on its way to being caught: what would have been printed, its place, and
    /// the calls that led there.
    static UNDER_WAY: RefCell<Option<(String, String, Option<String>)>> = const { RefCell::new(None) };
}

/// Keeps this thread's panics off the terminal; other threads' are printed there as ever.
///
/// One that ends the process is printed: where panics abort, and where a second panic comes before
/// the first one is caught (in a `Drop` while unwinding, out of an `extern "C"` function).
pub(crate) fn keep_those_of_this_thread() {
    IS_KEPT.set(cfg!(panic = "unwind"));
    panics::keep_quiet(|info| {
        if !IS_KEPT.get() {
            return false;
        }
        let backtrace = Backtrace::capture();
        let is_there = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = is_there.then(|| backtrace.to_string());
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let earlier = UNDER_WAY.replace(Some((info.to_string(), place, backtrace)));
        earlier.as_ref().inspect(|(text, ..)| eprintln!("{text}"));
        earlier.is_none()
    });
}

/// Runs `work`; a panic comes back as its message and location.
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, TaskError> {
    UNDER_WAY.take();
    // Nothing of a task outlives it but the bytes it returned.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let (_, mut location, backtrace) = UNDER_WAY.take().unwrap_or_default();
        if location.is_empty() {
            location = "an unknown place".into();
        }
        let message = panics::message(payload.as_ref());
        // A payload may panic when it is dropped, and so may the payload of that panic.
        if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        UNDER_WAY.take();
        TaskError::Panicked {
            message,
            location,
            backtrace,
        }
    })
}
