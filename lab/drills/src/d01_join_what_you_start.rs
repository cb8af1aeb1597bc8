//! `run_all` starts a thread for each job and returns at once, while the jobs are still at work.
//! Repair it: all jobs work at the same time, each on a thread of its own, and when `run_all`
//! returns, all of them are done.

use lab_drills::d01::Job;
use std::thread;

/// Runs each job on a thread of its own; when it returns, all jobs are done.
fn run_all(jobs: Vec<Job>) {
    for job in jobs {
        thread::spawn(move || job.run());
    }
}

fn main() -> std::process::ExitCode {
    lab_drills::d01::check(run_all).report()
}
