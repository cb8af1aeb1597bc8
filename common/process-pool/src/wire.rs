//! What parent and worker say to each other.
//!
//! A message is its size and then so many bytes. Inputs and outputs are bytes in it: one that does
//! not decode is the task's failure and leaves the conversation intact, and a retry sends the same
//! bytes again. Orders of several tasks are just their messages in a row.

use crate::{Payload, TaskError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a worker sends before its first message.
pub(crate) const MARK: [u8; 16] = *b"\0process-pool 2\0";

/// The number of what is no task: a worker's greeting, and what initialises it.
pub(crate) const NO_TASK: u64 = u64::MAX;

/// An order begins with so many bytes: its size, the task's number, the function, and whether to record.
pub(crate) const HEAD_BYTES: usize = 14;

/// Parent to worker: run this task.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) task: u64,
    /// Which of the functions that the worker was started for.
    pub(crate) function: u8,
    pub(crate) is_recorded: bool,
    pub(crate) input: &'a [u8],
}

impl<'a> Order<'a> {
    /// Reads an order from a message without its size.
    pub(crate) fn read(message: &'a [u8]) -> Option<Self> {
        let (task, rest) = message.split_first_chunk()?;
        let ([function, recorded], input) = rest.split_first_chunk()?;
        Some(Self {
            task: u64::from_le_bytes(*task),
            function: *function,
            is_recorded: *recorded != 0,
            input,
        })
    }

    /// Appends the order for a task that has no number yet.
    pub(crate) fn append(
        orders: &mut Vec<u8>,
        function: u8,
        is_recorded: bool,
        input: &impl Serialize,
    ) -> Result<(), String> {
        let start = orders.len();
        orders.extend_from_slice(&[0; HEAD_BYTES - 2]);
        orders.extend_from_slice(&[function, is_recorded.into()]);
        encode(input, orders).inspect_err(|_| orders.truncate(start))?;
        write_size(&mut orders[start..]);
        Ok(())
    }

    /// Gives orders in a row their numbers.
    pub(crate) fn number(mut orders: &mut [u8], mut task: u64) {
        while let Some(size) = size(orders) {
            orders[4..12].copy_from_slice(&task.to_le_bytes());
            task = task.wrapping_add(1);
            orders = &mut orders[4 + size..];
        }
    }
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// The first message: ready for tasks of these types.
    Hello,
    /// A task's output.
    Value,
    /// A [`Failure`].
    Failure,
}

/// Worker to parent: the task has ended.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) task: u64,
    pub(crate) tag: Tag,
    pub(crate) payload: &'a [u8],
    pub(crate) note: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads an answer from a message without its size.
    pub(crate) fn read(message: &'a [u8]) -> Option<Self> {
        let (task, rest) = message.split_first_chunk()?;
        let (&tag, rest) = rest.split_first()?;
        let (size, rest) = rest.split_first_chunk()?;
        let tags = [Tag::Hello, Tag::Value, Tag::Failure];
        let note_at = rest.len().checked_sub(u32::from_le_bytes(*size) as usize)?;
        let (payload, note) = rest.split_at(note_at);
        Some(Self {
            task: u64::from_le_bytes(*task),
            tag: *tags.get(usize::from(tag))?,
            payload,
            note,
        })
    }

    /// Writes an answer with what `append` appends, which returns what it is, and a note.
    pub(crate) fn write(
        message: &mut Vec<u8>,
        task: u64,
        append: impl FnOnce(&mut Vec<u8>) -> Tag,
        note: impl FnOnce() -> Vec<u8>,
    ) {
        message.clear();
        message.extend_from_slice(&[0; 17]);
        let tag = append(message);
        let note = note();
        message.extend_from_slice(&note);
        write_size(message);
        message[4..12].copy_from_slice(&task.to_le_bytes());
        message[12] = tag as u8;
        let size = u32::try_from(note.len()).unwrap_or(u32::MAX);
        message[13..17].copy_from_slice(&size.to_le_bytes());
    }

    /// The value, or what went wrong.
    pub(crate) fn decode<O: DeserializeOwned>(&self) -> Result<O, TaskError> {
        let not_decoded = |error: postcard::Error| TaskError::Decode {
            payload: Payload::Output,
            reason: error.to_string(),
        };
        if self.tag == Tag::Value {
            return postcard::from_bytes(self.payload).map_err(not_decoded);
        }
        let failure = postcard::from_bytes::<Failure>(self.payload).map_err(not_decoded)?;
        Err(failure.into())
    }
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

/// The size that bytes begin with, if it is there.
pub(crate) fn size(bytes: &[u8]) -> Option<usize> {
    let size = bytes.first_chunk();
    size.map(|size| u32::from_le_bytes(*size) as usize)
}

/// Writes the size of a message into its first bytes.
pub(crate) fn write_size(message: &mut [u8]) {
    let size = u32::try_from(message.len() - 4).unwrap_or(u32::MAX);
    message[..4].copy_from_slice(&size.to_le_bytes());
}

/// The messages in a row of them, without their sizes.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (message, rest) = bytes.get(4..)?.split_at_checked(size(bytes)?)?;
        bytes = rest;
        Some(message)
    })
}

/// Appends `value` in postcard.
pub(crate) fn encode(value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), String> {
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
