//! One of three jobs panics, and its caller never learns of it: there are two results instead of
//! three. Repair `run_all`: each job has a result in its place, and that of a job that panics is an
//! `Err` with the message of its panic. The jobs run at the same time.

use lab_drills::d11::Job;
use std::thread;

/// Runs each job on a thread of its own; returns their results, or the messages of their panics.
fn run_all(jobs: Vec<Job>) -> Vec<Result<u32, String>> {
    let start = |job: Job| thread::spawn(move || job.run());
    let started: Vec<_> = jobs.into_iter().map(start).collect();
    let joined = started.into_iter().filter_map(|thread| thread.join().ok());
    joined.map(Ok).collect()
}

fn main() -> std::process::ExitCode {
    lab_drills::d11::check(run_all).report()
}
