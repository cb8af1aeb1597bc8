//! Doing the same with every step.

use crate::support::binaries;
use lab_00_tour::path::{PATH, Stop};
use std::{path::Path, sync::Mutex, thread};

/// Calls `check` with every step and its binary, a few steps at a time: most of them mostly wait.
pub(crate) fn every_step(check: impl Fn(&'static Stop, &Path) + Sync) {
    const AT_ONCE: usize = 3;
    let binaries = binaries();
    let steps = Mutex::new(PATH.iter());
    let next = || steps.lock().expect("taking the next cannot panic").next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(stop) = next() {
                    check(stop, &binaries[stop.package]);
                }
            });
        }
    });
}
