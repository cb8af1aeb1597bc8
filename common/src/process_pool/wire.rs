//! What parent and worker say to each other.
//!
//! Inputs and outputs travel as bytes inside these messages: one that does not decode is the
//! task's failure and leaves the conversation intact, and a retry sends the same bytes again.

use super::{Payload, TaskError};
use crate::{
    timeline::{Lane, Moment},
    timing::Usage,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Parent to worker: run this. The parent sends borrowed bytes, the worker owns what it receives.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order<Bytes> {
    pub(super) task: u64,
    /// Whether somebody will look at the spans.
    pub(super) record: bool,
    pub(super) input: Bytes,
}

/// Worker to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The first message: it is ready for tasks.
    Hello { ready: Moment, busy: Duration },
    /// A task is over.
    Done(Done),
}

/// How a task ended inside a worker that lives on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) task: u64,
    pub(super) outcome: Result<serde_bytes::ByteBuf, Failure>,
    pub(super) lanes: Vec<Lane>,
    pub(super) usage: Usage,
}

/// What goes wrong inside a worker without ending it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Failure {
    Panicked { message: String, location: String },
    Input { reason: String },
    Output { reason: String },
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Panicked { message, location } => Self::Panicked { message, location },
            Failure::Input { reason } => Self::Decode {
                payload: Payload::Input,
                reason,
            },
            Failure::Output { reason } => Self::Encode {
                payload: Payload::Output,
                reason,
            },
        }
    }
}
