//! The worker process: the main thread works, another one watches for the parent's end.

use crate::{
    TaskError, Worker,
    child::{self, Link, Role, Shelf},
    note, panics,
    wire::{self, FAILURE, HELLO, IS_NOTED, NO_TASK, NOTE, VALUE},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    io::{self, Write},
    mem,
    panic::{self, AssertUnwindSafe},
    process, thread,
};

impl<I: DeserializeOwned, O: Serialize> Role for Worker<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn serve(&self, link: Link) -> u8 {
        serve(&[self], link)
    }

    fn types(&self) -> Option<String> {
        Some(wire::types::<I, O>())
    }

    fn run(&self, task: u64, input: &[u8], answer: &mut Vec<u8>) {
        let ended = catch(|| {
            let output = self.run_here(wire::decode(input).map_err(TaskError::Input)?);
            wire::append(answer, (task, VALUE), &output).map_err(TaskError::Output)
        });
        if let Err(failure) = ended.and_then(|ended| ended) {
            let mut fail = |failure| wire::append(answer, (task, FAILURE), &failure);
            // Its text may be past all limits; that of another one is not.
            let failed = fail(failure).or_else(|reason| fail(TaskError::Output(reason)));
            failed.expect("it is short");
        }
    }
}

/// Serves tasks until the parent closes the link.
pub(crate) fn serve(functions: &[&dyn Role], link: Link) -> u8 {
    keep_panics_of_this_thread();
    // Without an error the parent needs this worker no more.
    u8::from(serve_all(functions, link).is_err())
}

/// Says what this worker can run, and opens its shelf.
fn greet(functions: &[&dyn Role], link: &mut Link) -> io::Result<Option<Shelf>> {
    let path = link.receive::<Option<String>>(None)?.flatten();
    let types = functions.iter().flat_map(|function| function.types());
    let hello = (types.collect::<Vec<_>>(), note(None, &mut || {}));
    let hello = wire::encode((NO_TASK, HELLO), &hello).map_err(io::Error::other)?;
    link.output.write_all(&hello)?;
    Ok(path.and_then(|path| Shelf::open(&path).ok()))
}

/// Where a task forked, and both processes came back from it, only one is the worker: the other ends before it
/// flushes or drops anything of the worker's.
fn end_a_twin(own_id: u32) {
    if process::id() != own_id {
        child::crash();
    }
}

/// Keeps an answer or sends it, before the next task begins: a crash costs one task only.
fn hand_over(
    answer: &[u8],
    keeps: bool,
    mut shelf: Option<&mut Shelf>,
    link: &mut Link,
) -> io::Result<()> {
    let mut keep = || shelf.as_mut().is_some_and(|shelf| shelf.keep(answer));
    if keeps && keep() {
        return Ok(());
    }
    let sent = link.output.write_all(answer);
    // An earlier task of its chunk may have closed the pipe: that costs no other anything.
    let _ = sent.is_err() && keep();
    sent
}

fn serve_all(functions: &[&dyn Role], mut link: Link) -> io::Result<()> {
    let (own_id, mut answer) = (process::id(), Vec::new());
    child::watch_parent(&link.input)?;
    let mut shelf = greet(functions, &mut link)?;
    while let Some(mut orders) = link.next(None)? {
        let place = usize::from(orders.kind & !IS_NOTED);
        let function = functions.get(place).ok_or(io::ErrorKind::InvalidData)?;
        let is_noted = orders.kind & IS_NOTED != 0;
        let is_chunk = orders.tasks.start + 1 < orders.tasks.end;
        for task in orders.tasks.clone() {
            let has_more = task + 1 < orders.tasks.end;
            let keeps = shelf.is_some() && has_more && !is_noted;
            let mut run = || {
                function.run(task, orders.next(), &mut answer);
                if !keeps {
                    end_a_twin(own_id);
                }
            };
            let about = if is_noted {
                note(Some(function.name()), &mut run)
            } else {
                run();
                Vec::new()
            };
            if answer.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if !about.is_empty() {
                let noted = wire::encode((task, NOTE), &about).map_err(io::Error::other)?;
                answer.splice(0..0, noted);
            }
            let shelf = shelf.as_mut().filter(|_| is_chunk);
            hand_over(&answer, keeps, shelf, &mut link)?;
            answer.clear();
            answer.shrink_to(wire::KEPT_BYTES);
        }
    }
    Ok(())
}

thread_local! {
    /// The panic that is on its way to being caught.
    static UNDER_WAY: RefCell<Option<TaskError>> = const { RefCell::new(None) };
}

/// Keeps this thread's panics off the terminal; other threads' are printed there as ever.
///
/// One that ends the process is printed: where panics abort, and where a second panic comes before
/// the first one is caught (in a `Drop` while unwinding, out of an `extern "C"` function).
fn keep_panics_of_this_thread() {
    let worker = thread::current().id();
    panics::keep_quiet(move |info| {
        if cfg!(panic = "abort") || thread::current().id() != worker {
            return false;
        }
        let backtrace = Backtrace::capture();
        let is_there = backtrace.status() == BacktraceStatus::Captured;
        let earlier = UNDER_WAY.replace(Some(TaskError::Panicked {
            message: panics::message(info.payload()),
            location: info.location().map(ToString::to_string).unwrap_or_default(),
            backtrace: is_there.then(|| backtrace.to_string()),
        }));
        earlier.inspect(|earlier| eprintln!("{earlier}")).is_none()
    });
}

/// Runs `work`; a panic comes back as its message and location.
fn catch<R>(work: impl FnOnce() -> R) -> Result<R, TaskError> {
    UNDER_WAY.take();
    // Nothing of a task outlives it but the bytes it returned.
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let panicked = UNDER_WAY.take().unwrap_or_else(|| TaskError::Panicked {
            message: panics::message(payload.as_ref()),
            location: "an unknown place".into(),
            backtrace: None,
        });
        // A payload may panic when it is dropped, and so may the payload of that panic.
        if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
        UNDER_WAY.take();
        panicked
    })
}
