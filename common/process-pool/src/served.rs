//! The worker process: the main thread works, another one watches for the parent's end.

use crate::{
    Worker, caught,
    child::{Closing, Link, exit_now},
    event::{Stage, note},
    wire::{self, FAILURE, Failure, MARK, Order, Report, VALUE},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{io, process::ExitCode, thread};

/// A buffer for results is not kept if it is larger.
const KEPT_BYTES: usize = 64 * 1024;

/// A worker function, whatever its types are.
pub trait Function: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its types, by which parent and worker make sure that they mean the same function.
    fn types(&self) -> String;

    /// Runs one task and makes `result` of it; whatever it and its types do, there is one. Returns
    /// whether it is a value.
    fn run(&self, input: &[u8], result: &mut Vec<u8>) -> bool;
}

impl<I: DeserializeOwned, O: Serialize> Function for Worker<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn types(&self) -> String {
        wire::types::<I, O>()
    }

    fn run(&self, input: &[u8], result: &mut Vec<u8>) -> bool {
        let ended = caught::catch(|| {
            let input = postcard::from_bytes(input);
            let input = input.map_err(|error| Failure::Input(error.to_string()))?;
            wire::append(result, VALUE, &self.run_here(input)).map_err(Failure::Output)
        });
        let failure = match ended {
            Ok(Ok(())) => return true,
            Ok(Err(failure)) => failure,
            Err(panicked) => panicked,
        };
        // A panic while it was encoded leaves half of a value.
        result.clear();
        if let Err(reason) = wire::append(result, FAILURE, &failure) {
            // It is a short sentence.
            let _ = wire::append(result, FAILURE, &Failure::Output(reason));
        }
        false
    }
}

/// Serves tasks until the parent closes the link.
pub(crate) fn serve(functions: &[&dyn Function], link: Link) -> ExitCode {
    caught::keep_those_of_this_thread();
    match serve_all(functions, link) {
        // The parent needs this worker no more.
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve_all(functions: &[&dyn Function], link: Link) -> io::Result<()> {
    let own_id = std::process::id();
    let (mut sender, mut receiver) = link.split();
    watch(receiver.closing()?)?;
    let types = functions.iter().map(|function| function.types()).collect();
    let note_of_start = note(Stage::Ready);
    sender.send_raw(&MARK)?;
    sender.send(&Report::Hello {
        types,
        note: note_of_start,
    })?;
    let mut result = Vec::new();
    while let Some((message, from)) = receiver.receive_message()? {
        let garbled = || io::Error::from(io::ErrorKind::InvalidData);
        let (order, mut inputs) = Order::read(&message[from..]).ok_or_else(garbled)?;
        let function = functions
            .get(usize::from(order.function))
            .ok_or_else(garbled)?;
        for _ in 0..order.tasks {
            let input = match order.tasks {
                1 => inputs,
                _ => wire::take(&mut inputs).ok_or_else(garbled)?.1,
            };
            order.record.then(|| note(Stage::Begin));
            result.clear();
            result.shrink_to(KEPT_BYTES);
            let ended_well = function.run(input, &mut result);
            if std::process::id() != own_id {
                end_as_a_copy();
            }
            // A result leaves before the next task begins: a crash costs one task only.
            let done = Report::Done {
                id: order.id,
                failed: !ended_well,
                note: order.record.then(|| note(Stage::End(function.name()))),
            };
            sender.send_with(&done, &result)?;
        }
    }
    Ok(())
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
fn end_with_the_parent() -> ! {
    #[cfg(unix)]
    {
        use nix::{sys::signal, unistd};
        // `Child::start` made this process the leader of a group that holds it and its helpers.
        if unistd::getpgrp() == unistd::getpid() {
            let _ = signal::killpg(unistd::getpgrp(), signal::Signal::SIGKILL);
        }
    }
    exit_now()
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
