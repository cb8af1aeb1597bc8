//! What parent and worker say to each other.
//!
//! A message is its size, the number of the task that it is about, its kind, and a payload. Inputs
//! and outputs are bytes in it: one that does not decode is the task's failure and leaves the
//! conversation intact, and a retry sends the same bytes again.

use crate::{Payload, TaskError};
use serde::{Serialize, de::DeserializeOwned};

/// What a worker sends before its first message.
pub(crate) const MARK: [u8; 16] = *b"\0process-pool 4\0";

/// The number of what is no task: a worker's greeting, and what initialises it.
pub(crate) const NO_TASK: u64 = u64::MAX;

/// A message's size is followed by so many bytes before its payload.
pub(crate) const HEAD_BYTES: usize = 9;

/// The kinds of what a worker says: the types of its functions and a note, when it is ready; an output;
/// the error that it ended with; a note about what the same task says next. What it is sent has the
/// number of a function as its kind, with the highest bit set if the task is to be noted.
pub(crate) const HELLO: u8 = 0;
pub(crate) const VALUE: u8 = 1;
pub(crate) const FAILURE: u8 = 2;
pub(crate) const NOTE: u8 = 3;
pub(crate) const IS_NOTED: u8 = 1 << 7;

/// A message that has come in.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) task: u64,
    pub(crate) kind: u8,
    pub(crate) bytes: Vec<u8>,
    /// Where in the bytes the payload begins.
    pub(crate) from: usize,
}

impl Message {
    pub(crate) fn is_value(&self) -> bool {
        self.kind == VALUE
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// The value, or what went wrong.
    pub(crate) fn decode<O: DeserializeOwned>(&self) -> Result<O, TaskError> {
        let not_decoded = |error: postcard::Error| TaskError::Decode {
            payload: Payload::Output,
            reason: error.to_string(),
        };
        if self.is_value() {
            return postcard::from_bytes(self.payload()).map_err(not_decoded);
        }
        Err(postcard::from_bytes(self.payload()).unwrap_or_else(not_decoded))
    }
}

/// The size of what follows it, the task and the kind that bytes begin with.
pub(crate) fn head(bytes: &[u8]) -> Option<(usize, u64, u8)> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (task, rest) = rest.split_first_chunk()?;
    let size = u32::from_le_bytes(*size) as usize;
    Some((size, u64::from_le_bytes(*task), *rest.first()?))
}

/// A message whose payload `fill` appends, and of which that returns the kind.
pub(crate) fn message(
    task: u64,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<u8, String>,
) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; 4 + HEAD_BYTES];
    bytes[4..12].copy_from_slice(&task.to_le_bytes());
    bytes[12] = fill(&mut bytes)?;
    let size = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    Ok(bytes)
}

/// A message with a value in postcard.
pub(crate) fn encode((task, kind): (u64, u8), value: &impl Serialize) -> Result<Vec<u8>, String> {
    message(task, |bytes| write(bytes, value).map(|()| kind))
}

/// Appends `value` in postcard.
pub(crate) fn write(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<(), String> {
    let start = bytes.len();
    postcard::to_io(value, &mut *bytes).map_err(|error| error.to_string())?;
    let (size, limit) = (bytes.len() - start, crate::MAX_VALUE_BYTES);
    if size > limit {
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
