//! A worker takes jobs from a queue until it is told to stop; then it returns at once, and jobs
//! that the queue had accepted are lost. Repair `serve`: after the signal the queue takes no more
//! jobs, those that it has are done, and the worker ends, though a sender still exists.

use lab_drills::d16::Job;
use tokio::sync::{Notify, mpsc::Receiver};

/// Does jobs until the signal to stop.
async fn serve(mut jobs: Receiver<Job>, stop: &Notify) {
    loop {
        tokio::select! {
            Some(job) = jobs.recv() => job.run().await,
            () = stop.notified() => return,
            else => return,
        }
    }
}

fn main() -> std::process::ExitCode {
    lab_drills::d16::check(serve).report()
}
