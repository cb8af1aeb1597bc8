//! What can go wrong with a pool and with a task.

use crate::child::Exit;
use serde::{Serialize, Serializer};
use std::{fmt, io, time::Duration};

/// Why a pool could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// A worker process asked for a pool of its own.
    #[error(
        "a worker process may not start the pool `{role}`: is `child::take_role` the first call in `main`?"
    )]
    Nested {
        /// The name of the worker function.
        role: String,
    },
    /// The system refused a thread to look after a worker.
    #[error("cannot look after {workers} workers: {source}; ask for fewer")]
    Threads {
        /// How many workers were asked for.
        workers: usize,
        /// The system's word.
        source: io::Error,
    },
    /// Its workers could not be started, or ended before they were ready.
    #[error("cannot start the workers: {reason}")]
    Broken {
        /// What the last attempt met.
        reason: String,
    },
}

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The worker function panicked; its worker goes on.
    #[error("the task panicked at `{location}`: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
        /// Where it was: file, line and column.
        location: String,
    },
    /// Its worker ended while it ran, on every attempt.
    #[error("worker {pid} ended in mid-task with {exit}, after attempt {attempts}")]
    WorkerLost {
        /// The process id of the last worker that had the task.
        pid: u32,
        /// How that worker ended.
        exit: Exit,
        /// How often the task was tried.
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
    /// It was cancelled, or its pool was dropped before it was done.
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
    #[error("the pool is broken: {reason}")]
    PoolBroken {
        /// What the last attempt to start a worker met.
        reason: String,
    },
}

impl Serialize for TaskError {
    /// As its message.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value that crosses between the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
