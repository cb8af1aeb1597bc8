//! The thread in the parent that looks after one worker: starts it, feeds it, replaces it.

use super::{
    remote::Remote,
    shared::{Next, Shared},
};
use crate::child::Exit;
use std::{sync::Arc, thread};

/// After so many failed starts in a row the pool gives up.
const START_ATTEMPTS: u32 = 3;

/// Looks after the worker of one slot until the pool ends.
pub(super) fn manage(shared: &Arc<Shared>, slot: usize) {
    let _guard = PanicGuard(shared);
    let mut failures = 0;
    while shared.wants_workers() {
        let reason = match Remote::start(shared, slot) {
            Ok(Some(worker)) => match serve(shared, worker) {
                Ok(()) => {
                    failures = 0;
                    continue;
                }
                Err(exit) => format!("a worker ended with {exit} before its first task"),
            },
            Ok(None) => return,
            Err(reason) => reason,
        };
        failures += 1;
        if failures == START_ATTEMPTS {
            shared.give_up(format!("{reason} ({START_ATTEMPTS} attempts)"));
        }
    }
}

/// Without its manager a worker serves nobody: the pool says so instead of waiting.
struct PanicGuard<'a>(&'a Shared);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up("a manager thread panicked".into());
        }
    }
}

/// Serves tasks until the pool ends or the worker does.
///
/// # Errors
/// How a worker ended that died before it could be given its first task.
fn serve(shared: &Shared, mut worker: Remote) -> Result<(), Exit> {
    loop {
        match shared.next(worker) {
            Next::Work(served, hand) => {
                worker = served;
                if !worker.run(shared, hand) {
                    return Ok(());
                }
            }
            Next::Dead {
                worker,
                exit,
                at_once,
            } => {
                worker.bury(shared);
                let is_failure = worker.is_new() && at_once;
                return if is_failure { Err(exit) } else { Ok(()) };
            }
            Next::Gone => return Ok(()),
            Next::End(worker) => {
                worker.dismiss(shared);
                return Ok(());
            }
        }
    }
}
