//! Threads that do not start together do not race. Each runner warms up, some longer than others,
//! and then runs. Repair `race`: each runner warms up and runs on a thread of its own, no runner
//! starts before all of them are warm, and then all run at the same time.

use lab_drills::d02::Runner;
use std::thread;

/// Lets all runners warm up, and then run at the same time.
fn race(runners: Vec<Runner>) {
    thread::scope(|scope| {
        for runner in &runners {
            scope.spawn(|| {
                runner.warm_up();
                runner.run();
            });
        }
    });
}

fn main() -> std::process::ExitCode {
    lab_drills::d02::check(race).report()
}
