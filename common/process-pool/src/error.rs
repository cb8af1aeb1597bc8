//! What can go wrong with a pool and with a task.

use crate::child::{Exit, is_shortage};
use serde::{Deserialize, Serialize};
use std::{fmt, io, sync::Arc, time::Duration};

/// Why a pool, one of its workers or another child could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A worker process asked for a pool of its own.
    #[error("a worker process may not start the pool `{role}` ({CAUSE})")]
    Nested {
        /// The name of the worker function.
        role: String,
    },
    /// The operating system refused a process, a thread, a pipe or memory.
    #[error("{reason}")]
    #[non_exhaustive]
    Refused {
        /// What was refused, and the system's word.
        reason: String,
        /// Whether there was too little of something, of which there may be more soon.
        is_shortage: bool,
    },
    /// A worker ended before it was ready.
    #[error("a worker ended with {0} before it was ready (too low a `ulimit -u`? {CAUSE})")]
    Ended(Exit),
    /// Workers ended before they finished a task, time and again.
    #[error("a worker ended with {0} before its first task")]
    EndedIdle(Exit),
    /// A worker was not ready within the pool's limit.
    #[error("a worker was not ready after {0:?} ({CAUSE})")]
    NotReady(Duration),
    /// A worker's first message made no sense.
    #[error("a worker's first message was not understood ({CAUSE})")]
    NotUnderstood,
    /// The pool's initialiser failed.
    #[error("the initialiser failed: {0}")]
    Initialiser(String),
    /// A worker's functions have other types than the pool's: two functions have one name.
    #[error("the worker's functions are `{0}`, and not the pool's: have two one name?")]
    OtherTypes(String),
    /// A thread of the pool's ended: a fault of this crate.
    #[error("a thread of the pool panicked")]
    ThreadLost,
}

impl PoolError {
    pub(crate) fn refused(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::Refused {
            reason: format!("{what}: {error}"),
            is_shortage: is_shortage(error),
        }
    }

    /// What a pool needs beside its processes was refused.
    pub(crate) fn no_room(error: io::Error) -> Self {
        Self::refused("cannot start a worker", &error)
    }
}

const CAUSE: &str = "is `child::take_role` the first call in `main`?";

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TaskError {
    /// The worker function panicked; its worker goes on.
    #[error("the task panicked at `{location}`: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
        /// Where it was: file, line and column.
        location: String,
        /// The calls that led there, if `RUST_BACKTRACE` asks for them.
        backtrace: Option<String>,
    },
    /// Its worker ended while it ran, on every attempt.
    #[error("worker {pid} ended in mid-task with {exit}, after attempt {attempts}")]
    WorkerLost {
        /// The process id of the last worker that had the task.
        pid: u32,
        /// How that worker ended.
        exit: Exit,
        /// How often the task was begun.
        attempts: u32,
    },
    /// It ran for longer than the pool allows, and its worker was killed.
    #[error(
        "the task ran for more than {limit:?} and worker {pid} was killed; is the limit too low?"
    )]
    TimedOut {
        /// The process id of the worker that was killed.
        pid: u32,
        /// The pool's limit.
        limit: Duration,
    },
    /// It was cancelled, or its pool was dropped or shut down before it was done.
    #[error("the task was cancelled")]
    Cancelled,
    /// A value could not be turned into bytes.
    #[error("cannot encode the task's {payload}: {reason}")]
    Encode {
        /// Which value.
        payload: Payload,
        /// What the encoder said.
        reason: String,
    },
    /// A value could not be made out of the bytes.
    #[error(
        "cannot decode the task's {payload}: {reason}; does its type serialise into a format without field names?"
    )]
    Decode {
        /// Which value.
        payload: Payload,
        /// What the decoder said.
        reason: String,
    },
    /// The pool can no longer start workers.
    #[error("the pool is broken: {source}")]
    #[serde(skip)]
    PoolBroken {
        /// What the last attempt to start a worker met.
        source: Arc<PoolError>,
    },
}

impl TaskError {
    pub(crate) fn not_encoded(payload: Payload) -> impl FnOnce(String) -> Self {
        move |reason| Self::Encode { payload, reason }
    }

    pub(crate) fn not_decoded(payload: Payload) -> impl FnOnce(postcard::Error) -> Self {
        move |error| Self::Decode {
            payload,
            reason: error.to_string(),
        }
    }
}

/// A value that crosses between the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// What the worker function is given.
    Input,
    /// What it returns.
    Output,
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Output => "output",
        })
    }
}
