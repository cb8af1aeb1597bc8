//! A panic as a value: nothing of it on the terminal.

use process_pool::panics;
use std::{cell::Cell, sync::Once};

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Keeps this thread's panics off the terminal; those of others are told there as ever.
pub(crate) fn keep_off_the_terminal() {
    IS_QUIET.set(true);
    HOOK.call_once(|| panics::keep_quiet(|_| IS_QUIET.get()));
}
