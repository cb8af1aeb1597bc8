//! The worker process: the main thread works, another one watches for the parent's end.

use crate::{
    Worker, caught,
    child::Link,
    event::{Stage, note},
    wire::{self, Answer, Failure, MARK, NO_TASK, Order, Tag},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{io, process::ExitCode};

/// A buffer for answers is not kept if it is larger.
const KEPT_BYTES: usize = 4 << 20;

/// A worker function, whatever its types are.
pub trait Function: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its types, by which parent and worker make sure that they mean the same function.
    fn types(&self) -> String;

    /// Runs one task and appends its output to `answer`, or what it failed with; whatever it and
    /// its types do, there is one of these. Returns whether it is an output.
    fn run(&self, input: &[u8], answer: &mut Vec<u8>) -> bool;
}

impl<I: DeserializeOwned, O: Serialize> Function for Worker<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn types(&self) -> String {
        wire::types::<I, O>()
    }

    fn run(&self, input: &[u8], answer: &mut Vec<u8>) -> bool {
        let start = answer.len();
        let ended = caught::catch(|| {
            let input = postcard::from_bytes(input);
            let input = input.map_err(|error| Failure::Input(error.to_string()))?;
            wire::encode(&self.run_here(input), answer).map_err(Failure::Output)
        });
        let failure = match ended {
            Ok(Ok(())) => return true,
            Ok(Err(failure)) | Err(failure) => failure,
        };
        // What could not be encoded has left a part of itself.
        answer.truncate(start);
        if wire::encode(&failure, answer).is_err() {
            // Its text is past all limits; a short one is not.
            answer.truncate(start);
            let _ = wire::encode(&Failure::Output("a failure is too long".into()), answer);
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
    receiver.watch_parent()?;
    sender.send_raw(&MARK)?;
    let mut answer = Vec::new();
    let types: Vec<_> = functions.iter().map(|function| function.types()).collect();
    let hello = |answer: &mut Vec<u8>| {
        // Names of types are no longer than anything.
        let _ = wire::encode(&types, answer);
        Tag::Hello
    };
    Answer::write(&mut answer, NO_TASK, hello, || note(Stage::Ready));
    sender.send_raw(&answer)?;
    while let Some(message) = receiver.receive_raw()? {
        let order = Order::read(message);
        let order = order.ok_or(io::ErrorKind::InvalidData)?;
        let function = functions.get(usize::from(order.function));
        let function = function.ok_or(io::ErrorKind::InvalidData)?;
        if order.is_recorded {
            note(Stage::Begin);
        }
        if answer.capacity() > KEPT_BYTES {
            answer = Vec::new();
        }
        let run = |answer: &mut Vec<u8>| {
            let is_output = function.run(order.input, answer);
            if std::process::id() != own_id {
                end_as_a_copy();
            }
            if is_output { Tag::Value } else { Tag::Failure }
        };
        Answer::write(&mut answer, order.task, run, || {
            if order.is_recorded {
                note(Stage::End(function.name()))
            } else {
                Vec::new()
            }
        });
        // It leaves before the next task begins: a crash costs one task only.
        sender.send_raw(&answer)?;
    }
    Ok(())
}

/// A task forked, and both processes came back from it: only one of them is the worker.
fn end_as_a_copy() -> ! {
    // Nothing of the worker's is to be flushed or dropped twice.
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}
