//! What parent and worker say to each other.
//!
//! Inputs and outputs are bytes behind these messages: one that does not decode is the task's
//! failure and leaves the conversation intact, and a retry sends the same bytes again.

use crate::{Payload, TaskError};
use serde::{Deserialize, Serialize};

/// What a worker sends before its first message.
pub(crate) const MARK: [u8; 16] = *b"\0process-pool 1\0";

/// An order begins with its size, which an `Order` and then the inputs follow.
pub(crate) const ORDER_BYTES: usize = 18;

/// Parent to worker: run these tasks. The input of one follows; of several, a record for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) tasks: u32,
    /// Which of the functions that the worker was started for.
    pub(crate) function: u8,
    pub(crate) record: bool,
}

impl Order {
    /// The id of the order that initialises a worker.
    pub(crate) const INITIAL: u64 = u64::MAX;

    /// An order that is not numbered yet.
    pub(crate) fn of(function: u8, tasks: u32) -> Self {
        let (id, record) = (0, false);
        Self {
            id,
            tasks,
            function,
            record,
        }
    }

    /// Writes the size and the order into the place that a message has for them.
    pub(crate) fn write(self, message: &mut [u8]) {
        let size = u32::try_from(message.len() - 4).unwrap_or(u32::MAX);
        message[..4].copy_from_slice(&size.to_le_bytes());
        message[4..12].copy_from_slice(&self.id.to_le_bytes());
        message[12..16].copy_from_slice(&self.tasks.to_le_bytes());
        message[16] = self.function;
        message[17] = self.record.into();
    }

    /// Reads an order, and the inputs behind it, from a message without its size.
    pub(crate) fn read(message: &[u8]) -> Option<(Self, &[u8])> {
        let (id, rest) = message.split_first_chunk()?;
        let (tasks, rest) = rest.split_first_chunk()?;
        let ([function, record], inputs) = rest.split_first_chunk()?;
        let order = Self {
            id: u64::from_le_bytes(*id),
            tasks: u32::from_le_bytes(*tasks),
            function: *function,
            record: *record != 0,
        };
        Some((order, inputs))
    }
}

/// Worker to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The first message: it is ready for tasks of these types.
    Hello { types: Vec<String>, note: Vec<u8> },
    /// The next task of an order has ended; its record follows.
    Done {
        id: u64,
        failed: bool,
        note: Option<Vec<u8>>,
    },
}

/// What goes wrong inside a worker without ending it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// With message, location and backtrace.
    Panicked(String, String, Option<String>),
    Input(String),
    Output(String),
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Panicked(message, location, backtrace) => Self::Panicked {
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

/// Appends a record: a byte, the size, and `value`.
pub(crate) fn append(records: &mut Vec<u8>, tag: u8, value: &impl Serialize) -> Result<(), String> {
    let start = records.len();
    records.extend_from_slice(&[tag, 0, 0, 0, 0]);
    let encoded = encode(value, records);
    let size = u32::try_from(records.len() - start - 5).unwrap_or(u32::MAX);
    records[start + 1..start + 5].copy_from_slice(&size.to_le_bytes());
    encoded.inspect_err(|_| records.truncate(start))
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
    let (size, limit) = (bytes.len() - start, crate::MAX_VALUE_BYTES);
    if size > limit {
        bytes.truncate(start);
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
