//! The private connection between a parent and its child: whole messages, both ways.

use super::platform::{Input, Output};
use crate::wire::{self, HEAD_BYTES, Message, NO_TASK};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    mem,
    time::Duration,
};

/// A longer message is refused: a size that says more is no size.
pub(crate) const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// At least so much is read at once.
const READ_BYTES: usize = 64 << 10;
/// A larger buffer is not kept for the next message.
const KEPT_BYTES: usize = 4 << 20;

/// One end of the connection between parent and child.
#[derive(Debug)]
pub struct Link {
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) incoming: Incoming,
    limit: Option<Duration>,
}

impl Link {
    pub(super) fn new((input, output): (Input, Output)) -> Self {
        let incoming = Incoming::default();
        Self {
            input,
            output,
            incoming,
            limit: None,
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The other end is gone, or the message cannot be encoded (`InvalidData`; nothing is sent).
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let encoded = wire::encode((NO_TASK, 0), message);
        let invalid = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
        self.output.write_all(&encoded.map_err(invalid)?)
    }

    /// Waits for the next message; `None` when the other end has closed.
    ///
    /// # Errors
    /// The connection broke in mid-message, a timeout passed (`TimedOut`), or the message does not
    /// decode (`InvalidData`).
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let message = self.next()?;
        let decoded = message.map(|message| postcard::from_bytes(message.payload()));
        let decoded = decoded.transpose();
        decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Waits for the next message as it is.
    pub(crate) fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            let message = self.incoming.next()?;
            if message.is_some() {
                return Ok(message);
            }
            if !self.more()? {
                let is_within = !self.incoming.is_empty();
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return if is_within { Err(error) } else { Ok(None) };
            }
        }
    }

    /// Waits for more bytes; `false` at the end.
    fn more(&mut self) -> io::Result<bool> {
        self.input.wait(self.limit)?;
        Ok(self.incoming.fill(&self.input)? > 0)
    }

    /// Lets a [`receive`](Self::receive) fail with `TimedOut` when nothing comes for `limit`.
    pub fn set_timeout(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }
}

/// Bytes that have come in, and the messages in them.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    taken: usize,
}

impl Incoming {
    /// Reads once, and waits for that; nothing at the end.
    pub(crate) fn fill(&mut self, input: &Input) -> io::Result<usize> {
        self.bytes.drain(..mem::take(&mut self.taken));
        // One large message is no reason to keep its memory for ever.
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(0);
        }
        let wanted = wire::head(&self.bytes).map_or(0, |(size, ..)| 4 + size);
        let wanted = wanted.clamp(READ_BYTES, 4 + MESSAGE_LIMIT_BYTES);
        let more = wanted.saturating_sub(self.bytes.len()).max(1);
        self.bytes.reserve_exact(more);
        input.read(&mut self.bytes)
    }

    /// Takes the next whole message, if there is one.
    pub(crate) fn next(&mut self) -> io::Result<Option<Message>> {
        let start = self.taken;
        let Some((size, task, kind)) = wire::head(&self.bytes[start..]) else {
            return Ok(None);
        };
        if !(HEAD_BYTES..=MESSAGE_LIMIT_BYTES).contains(&size) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let end = start + 4 + size;
        if end > self.bytes.len() {
            return Ok(None);
        }
        let mut from = start + 4 + HEAD_BYTES;
        self.taken = end;
        let bytes = if size > READ_BYTES && end == self.bytes.len() {
            self.taken = 0;
            mem::take(&mut self.bytes)
        } else {
            self.bytes[mem::take(&mut from)..end].to_vec()
        };
        Ok(Some(Message {
            task,
            kind,
            bytes,
            from,
        }))
    }

    /// Drops all up to the end of `mark`; whether that has come.
    pub(crate) fn skip_to(&mut self, mark: &[u8]) -> bool {
        let mut parts = self.bytes.windows(mark.len());
        let found = parts.position(|part| part == mark);
        self.taken = found.map_or(self.taken, |at| at + mark.len());
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
        let ((there, output), (input, back)) = (pipe(), pipe());
        (Link::new((input, output)), Link::new((there, back)))
    }

    fn pipe() -> (Input, Output) {
        let (input, output) = io::pipe().expect("a pipe");
        (Input(input), output)
    }

    #[test]
    fn waiting_ends_at_the_limit_and_at_the_end() {
        let (mut here, there) = pair();
        here.set_timeout(Some(Duration::from_millis(5)));
        let waited = here.receive::<()>().map_err(|error| error.kind());
        assert_eq!(waited, Err(io::ErrorKind::TimedOut));
        drop(there);
        assert!(here.receive::<()>().is_ok_and(|end| end.is_none()));
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
            let received: Option<Vec<u8>> = there.receive().expect("it comes");
            assert!(received == Some(vec![7; size]), "{size}");
        }
        sending.join().expect("no panic");
        assert!(there.incoming.bytes.capacity() <= KEPT_BYTES);
        assert!(there.receive::<()>().is_ok_and(|end| end.is_none()));
    }
}
