//! The worker process: the main thread works, another one watches for the parent's end.

use crate::{
    caught,
    child::{Closing, Link},
    record::{TaskRecorder, WorkerStart},
    wire::{self, FAILURE, Failure, Order, Report, VALUE},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{io, process::ExitCode, thread};

/// A buffer for results is not kept if it is larger.
const KEPT_BYTES: usize = 64 * 1024;

/// Serves tasks until the parent closes the link.
pub(crate) fn serve<I, O>(name: &'static str, function: fn(I) -> O, link: Link) -> ExitCode
where
    I: DeserializeOwned,
    O: Serialize,
{
    caught::keep_those_of_this_thread();
    let own_id = std::process::id();
    let (mut sender, mut receiver) = link.split();
    let hello = Report::Hello {
        types: wire::types::<I, O>(),
        start: WorkerStart::now(),
    };
    let watched = receiver.closing().and_then(watch);
    if sender.send(&hello).is_err() || watched.is_err() {
        return ExitCode::FAILURE;
    }
    let mut result = Vec::new();
    loop {
        let (order, mut inputs) = match receiver.receive_with::<Order>() {
            Ok(Some(order)) => order,
            // The parent needs this worker no more.
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        };
        for _ in 0..order.tasks {
            let input = match order.tasks {
                1 => Some(inputs),
                _ => wire::take(&mut inputs).map(|(_, input)| input),
            };
            let Some(input) = input else {
                return ExitCode::FAILURE;
            };
            let recorder = order.record.then(TaskRecorder::begin);
            result.clear();
            result.shrink_to(KEPT_BYTES);
            let ended_well = run(function, input, &mut result);
            if std::process::id() != own_id {
                end_as_a_copy();
            }
            // A result leaves before the next task begins: a crash costs one task only.
            let done = Report::Done {
                id: order.id,
                tasks: 1,
                failed: u32::from(!ended_well),
                notes: recorder.map(|recorder| Box::new(recorder.end(name))),
            };
            if sender.send_with(&done, &[&result]).is_err() {
                return ExitCode::FAILURE;
            }
        }
    }
}

/// Waits for the parent's end on a thread of its own, so that it is noticed in mid-task too.
fn watch(closing: Closing) -> io::Result<()> {
    let watcher = thread::Builder::new().name("watcher".into());
    #[cfg(unix)]
    let parent = std::os::unix::process::parent_id();
    let watching = move || {
        closing.wait();
        // The parent may have closed the link to let an idle worker end by itself.
        #[cfg(unix)]
        while std::os::unix::process::parent_id() == parent {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        end_with_the_parent()
    };
    watcher.spawn(watching).map(drop)
}

/// Ends this process at once, and on Unix the helpers that a task started.
#[expect(
    clippy::exit,
    reason = "the parent is gone, and a task may run for ever"
)]
fn end_with_the_parent() -> ! {
    #[cfg(unix)]
    {
        use nix::{sys::signal, unistd};
        // `Child::start` made this process the leader of a group that holds it and its helpers.
        if unistd::getpgrp() == unistd::getpid() {
            let _ = signal::killpg(unistd::getpgrp(), signal::Signal::SIGKILL);
        }
    }
    std::process::exit(0)
}

/// A task forked, and both processes came back from it: only one of them is the worker.
fn end_as_a_copy() -> ! {
    #[cfg(unix)]
    {
        use nix::{sys::signal, unistd::Pid};
        // Nothing of the worker's is to be flushed or dropped twice.
        let _ = signal::kill(Pid::this(), signal::Signal::SIGKILL);
    }
    std::process::abort()
}

/// Runs one task and appends its result; whatever it and its types do, there is one. Returns whether
/// it is a value.
fn run<I: DeserializeOwned, O: Serialize>(
    function: fn(I) -> O,
    input: &[u8],
    results: &mut Vec<u8>,
) -> bool {
    let ended = caught::catch(|| {
        let input =
            postcard::from_bytes(input).map_err(|error| Failure::Input(error.to_string()))?;
        let output = function(input);
        wire::append(results, VALUE, |bytes| wire::encode(&output, bytes)).map_err(Failure::Output)
    });
    let failure = match ended {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => failure,
        Err(panicked) => panicked,
    };
    // A panic while it was encoded leaves half of a value.
    results.clear();
    if let Err(reason) = wire::append(results, FAILURE, |bytes| wire::encode(&failure, bytes)) {
        results.clear();
        let too_long = Failure::Output(reason);
        // It is a short sentence.
        let _ = wire::append(results, FAILURE, |bytes| wire::encode(&too_long, bytes));
    }
    false
}
