//! A program of threads as a child: what reaches its parent when one of its jobs aborts.

use crate::{Done, Job, run_on_threads};
use common::cli;
use process_pool::child::{Child, Exit, Link, LinkReceiver, Program, Role, StartError};
use serde::{Deserialize, Serialize};
use std::{io, num::NonZeroUsize, process::ExitCode, thread, time::Duration};
use timeline::{Moment, START_UP, Span, Timeline};

/// A whole program whose jobs are threads; it hands over what they did when all are done.
pub const THREADED: Threaded = Threaded;

/// The role of [`THREADED`].
#[derive(Debug)]
pub struct Threaded;

/// What the program is to do.
#[derive(Serialize, Deserialize)]
struct Plan {
    workers: NonZeroUsize,
    jobs: Vec<Job>,
}

/// What was seen of a program from outside.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// What it handed over before its end; nothing if it ended before.
    pub handed_over: Vec<Done>,
    /// How it ended.
    pub exit: Exit,
    /// The process that it was.
    pub process_id: u32,
}

impl Role for Threaded {
    fn name(&self) -> &'static str {
        "threaded"
    }

    fn serve(&self, link: Link) -> ExitCode {
        let (mut sender, mut receiver) = link.split();
        let Ok(Some(plan)) = receiver.receive::<Plan>() else {
            return ExitCode::FAILURE;
        };
        // Detached: it ends with this program, whichever way that ends.
        thread::spawn(move || end_with_the_parent(&mut receiver));
        let done = run_on_threads(plan.workers, &plan.jobs);
        match sender.send(&done) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                cli::print_error(error);
                ExitCode::FAILURE
            }
        }
    }
}

#[expect(
    clippy::exit,
    reason = "the parent is gone, and `main` is busy with jobs whose results go nowhere"
)]
fn end_with_the_parent(receiver: &mut LinkReceiver) {
    while let Ok(Some(())) = receiver.receive::<()>() {}
    std::process::exit(0);
}

/// Runs the jobs in a program of threads and watches it; after `limit` it is killed.
///
/// # Errors
/// The program cannot be started.
pub fn watch_threads(
    program: &Program,
    workers: NonZeroUsize,
    jobs: &[Job],
    limit: Duration,
) -> Result<Watched, StartError> {
    let start = Moment::now();
    let (mut child, link) = Child::start(program, THREADED.name())?;
    let started = Span::watched(START_UP, start, Moment::now(), Duration::ZERO);
    if let Some(timeline) = Timeline::current() {
        timeline.record_process(child.id(), "the whole program", started);
    }
    let (mut sender, mut receiver) = link.split();
    let plan = Plan {
        workers,
        jobs: jobs.to_vec(),
    };
    // A program that has died hands nothing over; how it ended says the rest.
    let handed_over: io::Result<Option<Vec<Done>>> = receiver
        .set_timeout(Some(limit))
        .and_then(|()| sender.send(&plan))
        .and_then(|()| receiver.receive());
    let limit = limit.saturating_sub(Moment::now() - start);
    Ok(Watched {
        handed_over: handed_over.ok().flatten().unwrap_or_default(),
        exit: child.wait_or_kill(limit),
        process_id: child.id(),
    })
}
