//! Panics of tasks as values: what was said and where, and nothing on the terminal.

use crate::panics;
use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
};

thread_local! {
    static IS_KEPT: Cell<bool> = const { Cell::new(false) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps this thread's panics off the terminal; other threads' are told there as ever.
pub(super) fn keep_those_of_this_thread() {
    IS_KEPT.set(true);
    panics::keep_quiet(|info| {
        if IS_KEPT.get() {
            LOCATION.set(info.location().map(ToString::to_string));
        }
        IS_KEPT.get()
    });
}

/// Runs `work`; a panic comes back as its message and location.
pub(super) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, (String, String)> {
    LOCATION.take();
    // Nothing of a task outlives it but the bytes it returned.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let location = LOCATION.take().unwrap_or_else(|| "an unknown place".into());
        (panics::message(payload.as_ref()), location)
    })
}
