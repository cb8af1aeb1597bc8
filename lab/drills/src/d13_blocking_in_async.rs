//! `load` is async, but `disk.read()` blocks its thread. That is the executor's only thread, so no
//! other task can run meanwhile: a heartbeat stops. Repair `load`: the heartbeat answers while the
//! disk is read.

use lab_drills::d13::Disk;
use std::sync::Arc;

/// Loads a number from the disk.
async fn load(disk: Arc<Disk>) -> u32 {
    disk.read()
}

fn main() -> std::process::ExitCode {
    lab_drills::d13::check(load).report()
}
