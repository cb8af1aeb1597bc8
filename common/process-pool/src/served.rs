//! The worker process: the main thread works, another one watches for the parent's end.

use crate::{
    Payload, TaskError, Worker, caught,
    child::{self, Link},
    event::{Stage, note},
    task::not_encoded,
    wire::{self, FAILURE, HELLO, IS_NOTED, MARK, NO_TASK, NOTE, VALUE},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// A worker function, whatever its types are.
pub trait Function: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its types, by which parent and worker make sure that they mean the same function.
    fn types(&self) -> String;

    /// Runs one task and appends its output to `answer`, or what it failed with; whatever it and
    /// its types do, there is one of these. Returns which of them as a kind of message.
    fn run(&self, input: &[u8], answer: &mut Vec<u8>) -> u8;
}

impl<I: DeserializeOwned, O: Serialize> Function for Worker<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn types(&self) -> String {
        wire::types::<I, O>()
    }

    fn run(&self, input: &[u8], answer: &mut Vec<u8>) -> u8 {
        let start = answer.len();
        let ended = caught::catch(|| {
            let input = postcard::from_bytes(input).map_err(|error| TaskError::Decode {
                payload: Payload::Input,
                reason: error.to_string(),
            });
            let written = wire::write(answer, &self.run_here(input?));
            written.map_err(|reason| not_encoded(Payload::Output, reason))
        });
        let Err(failure) = ended.and_then(|ended| ended) else {
            return VALUE;
        };
        // What could not be encoded has left a part of itself.
        answer.truncate(start);
        if wire::write(answer, &failure).is_err() {
            // Its text is past all limits; a short one is not.
            answer.truncate(start);
            let too_long = not_encoded(Payload::Output, "a failure is too long".into());
            let _ = wire::write(answer, &too_long);
        }
        FAILURE
    }
}

/// Serves tasks until the parent closes the link.
pub(crate) fn serve(functions: &[&dyn Function], link: Link) -> ExitCode {
    caught::keep_those_of_this_thread();
    // Without an error the parent needs this worker no more.
    ExitCode::from(u8::from(serve_all(functions, link).is_err()))
}

fn serve_all(functions: &[&dyn Function], mut link: Link) -> io::Result<()> {
    let own_id = std::process::id();
    link.input.watch_parent()?;
    let types: Vec<_> = functions.iter().map(|function| function.types()).collect();
    let hello = (types.join(", "), note(Stage::Ready));
    let hello = wire::encode((NO_TASK, HELLO), &hello).map_err(io::Error::other)?;
    link.output.write_all(&[&MARK[..], &hello].concat())?;
    while let Some(order) = link.next()? {
        let is_noted = order.kind & IS_NOTED != 0;
        let function = functions.get(usize::from(order.kind & !IS_NOTED));
        let function = function.ok_or(io::ErrorKind::InvalidData)?;
        if is_noted {
            note(Stage::Begin);
        }
        let run = |answer: &mut _| Ok(function.run(order.payload(), answer));
        let mut answer = wire::message(order.task, run).map_err(io::Error::other)?;
        if std::process::id() != own_id {
            // The task forked, and both processes came back from it: only one is the worker.
            // Nothing of the worker's is to be flushed or dropped twice.
            child::crash();
        }
        if is_noted {
            let about = note(Stage::End(function.name()));
            let noted = wire::encode((order.task, NOTE), &about).map_err(io::Error::other)?;
            answer.splice(0..0, noted);
        }
        // It leaves before the next task begins: a crash costs one task only.
        link.output.write_all(&answer)?;
    }
    Ok(())
}
