//! What can go wrong with a pool and with a task.

use crate::child::{Exit, is_shortage};
use serde::{Deserialize, Serialize};
use std::{fmt, io, sync::Arc, time::Duration};

/// Why a pool, one of its workers or another child could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The operating system refused a process, a thread, a pipe or memory, or this one is a worker.
    #[error("{reason}")]
    #[non_exhaustive]
    Refused {
        /// What was refused, and the system's word.
        reason: String,
        /// Whether there was too little of something, of which there may be more soon.
        is_shortage: bool,
    },
    /// Workers ended before their first task, time and again.
    #[error("a worker ended with {0} before its first task (too low a `ulimit -u`? {CAUSE})")]
    Ended(Exit),
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

pub(crate) const CAUSE: &str = "is `child::enter` the first call in `main`?";

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
    #[error("the task took more than {limit:?}, worker {pid} was killed; is the limit too low?")]
    TimedOut {
        /// The process id of the worker that was killed.
        pid: u32,
        /// The pool's limit.
        limit: Duration,
    },
    /// It was cancelled, or its pool was dropped or shut down before it was done.
    #[error("the task was cancelled")]
    Cancelled,
    /// Its input could not be encoded here, or decoded by a worker: the function was not called.
    #[error("the task's input {0}")]
    Input(String),
    /// Its output could not be encoded by the worker, or decoded here.
    #[error("the task's output {0}")]
    Output(String),
    /// The pool can no longer start workers.
    #[error("the pool is broken: {source}")]
    #[serde(skip)]
    PoolBroken {
        /// What the last attempt to start a worker met.
        source: Arc<PoolError>,
    },
}
