//! What parent and child say to each other: whole messages, both ways, over a private connection.
//!
//! A message is its size, the number of the task that it is about, its kind, and a payload. Inputs
//! and outputs are bytes in it: one that does not decode is the task's failure and leaves the
//! conversation intact, and a retry sends the same bytes again.

use crate::{TaskError, child};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, PipeReader, PipeWriter, Write},
    mem,
    ops::Range,
    time::Duration,
};

/// The number of what is no task: a worker's greeting, and what initialises it. No text has its bytes.
pub(crate) const NO_TASK: u64 = u64::MAX - 1;

/// So many bytes are before the payload.
const HEAD_BYTES: usize = 13;

/// The kinds of what a worker says: the types of its functions and a note, when it is ready; an output;
/// the error that it ended with; a note about what the same task says next. What it is sent has the
/// number of a function as its kind, with the highest bit set if the task is to be noted. Whenever the
/// messages change, `HELLO` is another number.
pub(crate) const HELLO: u8 = 6;
pub(crate) const VALUE: u8 = 1;
pub(crate) const FAILURE: u8 = 2;
pub(crate) const NOTE: u8 = 3;
pub(crate) const IS_NOTED: u8 = 1 << 7;

/// What has come in: a message, or some of one kind about tasks in a row.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) tasks: Range<u64>,
    pub(crate) kind: u8,
    pub(crate) bytes: Vec<u8>,
    /// Where the next message in the bytes begins.
    from: usize,
}

impl Batch {
    pub(crate) fn is_value(&self) -> bool {
        self.kind == VALUE
    }

    /// Takes the next payload, of which there is one for each.
    pub(crate) fn next(&mut self) -> &[u8] {
        let start = self.from + HEAD_BYTES;
        let (size, ..) = head(&self.bytes[self.from..]).unwrap_or_default();
        self.from += size;
        &self.bytes[start..self.from]
    }

    /// Takes the next value, or what went wrong.
    pub(crate) fn decode<O: DeserializeOwned>(&mut self) -> Result<O, TaskError> {
        if self.is_value() {
            return decode(self.next()).map_err(TaskError::Output);
        }
        Err(decode(self.next()).unwrap_or_else(TaskError::Output))
    }
}

/// A value out of its bytes, or why there is none.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let hint = "does its type serialise into a format without field names?";
    postcard::from_bytes(bytes).map_err(|error| format!("cannot be decoded: {error}; {hint}"))
}

/// The size, the task and the kind of the message that bytes begin with.
pub(crate) fn head(bytes: &[u8]) -> Option<(usize, u64, u8)> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (task, rest) = rest.split_first_chunk()?;
    let (size, task) = (u32::from_le_bytes(*size), u64::from_le_bytes(*task));
    Some((size as usize, task, *rest.first()?))
}

/// A message with a value in postcard.
pub(crate) fn encode(about: (u64, u8), value: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    append(&mut bytes, about, value).map(|()| bytes)
}

/// Appends a message with a value in postcard; nothing, if there is an error.
pub(crate) fn append(
    bytes: &mut Vec<u8>,
    (task, kind): (u64, u8),
    value: &impl Serialize,
) -> Result<(), String> {
    let start = bytes.len();
    // Most are a number.
    bytes.reserve(HEAD_BYTES + 10);
    bytes.extend([0; 4]);
    bytes.extend(task.to_le_bytes());
    bytes.push(kind);
    // Byte by byte this is faster where the compiler sees a vector of its own.
    let mut own = mem::take(bytes);
    let encoded = postcard::to_io(value, &mut own).map(drop);
    let encoded = encoded.map_err(|error| format!("cannot be encoded: {error}"));
    *bytes = own;
    let (size, limit) = (bytes.len() - start - HEAD_BYTES, crate::MAX_VALUE_BYTES);
    let is_past = || format!("of {size} bytes is past the limit of {limit}");
    let fits = (size <= limit).then_some(()).ok_or_else(is_past);
    bytes[start..start + 4].copy_from_slice(&((HEAD_BYTES + size) as u32).to_le_bytes());
    encoded.and(fits).inspect_err(|_| bytes.truncate(start))
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

/// A longer message is refused: a size that says more is no size.
pub(crate) const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// At least so much is read at once.
const READ_BYTES: usize = 64 << 10;
/// A larger buffer is not kept for the next message.
pub(crate) const KEPT_BYTES: usize = 4 << 20;

/// One end of the connection between parent and child.
#[derive(Debug)]
pub struct Link {
    pub(crate) input: PipeReader,
    pub(crate) output: PipeWriter,
    incoming: Incoming,
}

impl Link {
    pub(crate) fn new((input, output): (PipeReader, PipeWriter)) -> Self {
        Self {
            input,
            output,
            incoming: Incoming::default(),
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The other end is gone, or the message cannot be encoded (`InvalidData`; nothing is sent).
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let encoded = encode((NO_TASK, 0), message);
        let invalid =
            |reason| io::Error::new(io::ErrorKind::InvalidData, format!("a message {reason}"));
        self.output.write_all(&encoded.map_err(invalid)?)
    }

    /// Waits for the next message; `None` when the other end has closed.
    ///
    /// # Errors
    /// The connection broke in mid-message, nothing came for `limit` (`TimedOut`), or the message does
    /// not decode (`InvalidData`).
    pub fn receive<T>(&mut self, limit: Option<Duration>) -> io::Result<Option<T>>
    where
        T: DeserializeOwned,
    {
        let decode = |mut message: Batch| postcard::from_bytes(message.next());
        let decoded = self.next(limit)?.map(decode).transpose();
        decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Waits for the next message as it is, or for several.
    pub(crate) fn next(&mut self, limit: Option<Duration>) -> io::Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.incoming.next(u64::MAX)? {
                return Ok(Some(batch));
            }
            if let Some(limit) = limit {
                child::wait_for(&self.input, limit)?;
            }
            if self.incoming.fill(&self.input)? == 0 {
                let is_within = !self.incoming.is_empty();
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return if is_within { Err(error) } else { Ok(None) };
            }
        }
    }
}

/// Bytes that have come in, and the messages in them.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) bytes: Vec<u8>,
    taken: usize,
    /// Whether no more come.
    pub(crate) has_closed: bool,
}

impl Incoming {
    /// Reads once, and waits for that; nothing at the end.
    pub(crate) fn fill(&mut self, input: &PipeReader) -> io::Result<usize> {
        self.bytes.drain(..mem::take(&mut self.taken));
        // One large message is no reason to keep its memory for ever.
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(0);
        }
        let wanted = head(&self.bytes).map_or(0, |(size, ..)| size);
        let wanted = wanted.clamp(READ_BYTES, MESSAGE_LIMIT_BYTES);
        let more = wanted.saturating_sub(self.bytes.len()).max(1);
        self.bytes.reserve_exact(more);
        let read = child::read(input, &mut self.bytes);
        self.has_closed = !matches!(read, Ok(1..));
        read
    }

    /// The task of what is next.
    pub(crate) fn task(&self) -> Option<u64> {
        head(&self.bytes[self.taken..]).map(|(_, task, _)| task)
    }

    /// Takes the next whole message, and those of its kind about the tasks after it, before `limit`.
    pub(crate) fn next(&mut self, limit: u64) -> io::Result<Option<Batch>> {
        let (start, mut end) = (self.taken, self.taken);
        let Some((_, task, kind)) = head(&self.bytes[start..]) else {
            return Ok(None);
        };
        let mut tasks = task..task;
        while (tasks.is_empty() || tasks.end < limit)
            && let Some((size, next, like)) = head(&self.bytes[end..])
            && (next, like) == (tasks.end, kind)
        {
            if !(HEAD_BYTES..=MESSAGE_LIMIT_BYTES).contains(&size) || next == u64::MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if end + size > self.bytes.len() {
                break;
            }
            (end, tasks.end) = (end + size, next + 1);
        }
        let mut from = start;
        let bytes = if end - start > READ_BYTES && end == self.bytes.len() {
            self.taken = 0;
            mem::take(&mut self.bytes)
        } else {
            self.taken = end;
            self.bytes[mem::take(&mut from)..end].to_vec()
        };
        Ok((!tasks.is_empty()).then_some(Batch {
            tasks,
            kind,
            bytes,
            from,
        }))
    }

    /// Drops what a test program prints before its first message; whether that has begun.
    pub(crate) fn skip_to_hello(&mut self) -> bool {
        let is_hello = |bytes| matches!(head(bytes), Some((_, NO_TASK, HELLO)));
        let found = self.bytes.windows(HEAD_BYTES).position(is_hello);
        self.taken = found.unwrap_or(self.taken);
        found.is_some()
    }

    /// Whether nothing has come that was not taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Duration};

    fn pair() -> (Link, Link) {
        let pipe = || io::pipe().expect("a pipe");
        let ((there, output), (input, back)) = (pipe(), pipe());
        (Link::new((input, output)), Link::new((there, back)))
    }

    #[test]
    fn waiting_ends_at_the_limit_and_at_the_end() {
        let (mut here, there) = pair();
        let limit = Some(Duration::from_millis(5));
        let waited = here.receive::<()>(limit).map_err(|error| error.kind());
        assert_eq!(waited, Err(io::ErrorKind::TimedOut));
        drop(there);
        assert!(here.receive::<()>(limit).is_ok_and(|end| end.is_none()));
    }

    #[test]
    fn a_large_message_leaves_no_large_buffer() {
        let (mut here, mut there) = pair();
        let sizes = [KEPT_BYTES * 2, 3, READ_BYTES * 2, 0];
        let sending = thread::spawn(move || {
            for size in sizes {
                here.send(&vec![7_u8; size]).expect("it is read");
            }
        });
        for size in sizes {
            let received: Option<Vec<u8>> = there.receive(None).expect("it comes");
            assert!(received == Some(vec![7; size]), "{size}");
        }
        sending.join().expect("no panic");
        assert!(there.incoming.bytes.capacity() <= KEPT_BYTES);
        assert!(there.receive::<()>(None).is_ok_and(|end| end.is_none()));
    }
}
