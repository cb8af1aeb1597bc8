//! What tests of blocking code run under.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Turns a hang into a failure.
pub(crate) fn under_watchdog(test: impl FnOnce() + Send + 'static) {
    let (tx, rx) = mpsc::channel();
    let testing = thread::spawn(move || {
        let ended = panic::catch_unwind(AssertUnwindSafe(test));
        let _ = tx.send(());
        ended.unwrap_or_else(|cause| panic::resume_unwind(cause));
    });
    rx.recv_timeout(Duration::from_secs(60)).expect("it hangs");
    testing
        .join()
        .unwrap_or_else(|cause| panic::resume_unwind(cause));
}
