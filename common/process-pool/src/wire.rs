//! What parent and worker say to each other.
//!
//! Inputs and outputs travel as records behind these messages (`batch`): one that does not decode is
//! the task's failure and leaves the conversation intact, and a retry sends the same bytes again.

use super::{Payload, TaskError};
use measure::timing::Usage;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use timeline::{Moment, Recording};

/// Parent to worker: run the tasks whose inputs follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) tasks: u32,
    /// Whether somebody will look at the spans.
    pub(super) record: bool,
    /// Whether each task is to be reported before the next one begins: one of them may end the worker.
    pub(super) promptly: bool,
}

/// Worker to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The first message: it is ready for tasks.
    Hello { ready: Moment, busy: Duration },
    /// Tasks are over; their results follow.
    Done(Done),
}

/// The next tasks of an order have ended inside a worker that lives on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) tasks: u32,
    /// How many of them ended in a failure.
    pub(super) failed: u32,
    /// How many more tasks of the order the worker keeps; the others behind them it has not begun and
    /// will not. With 0 this is the last report on the order.
    pub(super) keeps: u32,
    /// How long they took.
    pub(super) took: Duration,
    /// What was recorded of each; none where nobody looks.
    pub(super) recordings: Vec<Recording>,
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
