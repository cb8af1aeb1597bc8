//! What parent and worker say to each other.
//!
//! Inputs and outputs are bytes behind these messages: one that does not decode is the task's
//! failure and leaves the conversation intact, and a retry sends the same bytes again.

use crate::{Payload, TaskError, record};
use serde::{Deserialize, Serialize};

/// Parent to worker: run these tasks. The input of one follows; of several, a record for each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) tasks: u32,
    pub(crate) record: bool,
}

/// Worker to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The first message: it is ready for tasks of these types.
    Hello {
        types: String,
        start: record::WorkerStart,
    },
    /// The next tasks of an order have ended; a record for each follows.
    Done {
        id: u64,
        tasks: u32,
        failed: u32,
        notes: Option<Box<record::Notes>>,
    },
}

/// What goes wrong inside a worker without ending it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    Panicked {
        message: String,
        location: String,
        backtrace: Option<String>,
    },
    Input(String),
    Output(String),
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Panicked {
                message,
                location,
                backtrace,
            } => Self::Panicked {
                message,
                location,
                backtrace,
            },
            Failure::Input(reason) => Self::Decode {
                payload: Payload::Input,
                reason,
            },
            Failure::Output(reason) => Self::Encode {
                payload: Payload::Output,
                reason,
            },
        }
    }
}

/// The first byte of a record.
pub(crate) const VALUE: u8 = 0;
pub(crate) const FAILURE: u8 = 1;

/// Appends a record: a byte, the size, and what `write` appends.
pub(crate) fn append<E>(
    records: &mut Vec<u8>,
    tag: u8,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = records.len();
    records.extend_from_slice(&[tag, 0, 0, 0, 0]);
    let written = write(records);
    let size = u32::try_from(records.len() - start - 5).unwrap_or(u32::MAX);
    records[start + 1..start + 5].copy_from_slice(&size.to_le_bytes());
    written
}

/// Takes the first record.
pub(crate) fn take<'a>(records: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = records.split_first()?;
    let (size, rest) = rest.split_first_chunk()?;
    let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    *records = rest;
    Some((tag, record))
}

/// Appends `value` in postcard.
pub(crate) fn encode(value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), String> {
    let start = bytes.len();
    postcard::to_io(value, &mut *bytes).map_err(|error| error.to_string())?;
    let size = bytes.len() - start;
    if size > crate::MAX_VALUE_BYTES {
        bytes.truncate(start);
        let limit = crate::MAX_VALUE_BYTES;
        return Err(format!(
            "a value of {size} bytes is past the limit of {limit}"
        ));
    }
    Ok(())
}

/// The names of both types without their paths, which differ between a program and its library.
pub(crate) fn types<I, O>() -> String {
    let both = std::any::type_name::<fn(I) -> O>();
    let mut short = String::new();
    for word in both.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short.push_str(word.rsplit("::").next().unwrap_or(word));
    }
    short
}
