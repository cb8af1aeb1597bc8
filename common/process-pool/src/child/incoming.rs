//! Bytes that have come in, and the messages in them.

use super::link::{COPIED_BYTES, MESSAGE_LIMIT_BYTES, too_large};
use std::{
    io::{self, Read},
    mem,
};

/// A message, and where in the bytes it begins.
pub(crate) type Message = (Vec<u8>, usize);

/// What has come and was not yet looked at.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    filled: usize,
    taken: usize,
    /// What comes before the first message, if it has not come.
    mark: &'static [u8],
}

impl Incoming {
    /// Reads once; whether there may be more, `None` at the end.
    pub(crate) fn read(&mut self, mut from: impl Read) -> io::Result<Option<bool>> {
        let wanted = self.size()?.map_or(0, |size| 4 + size);
        self.bytes.copy_within(self.taken..self.filled, 0);
        self.filled -= mem::take(&mut self.taken);
        let room = wanted.max(COPIED_BYTES);
        if self.bytes.len() != room && self.filled < room {
            // One large message is no reason to keep its memory for ever.
            self.bytes.truncate(room);
            self.bytes.shrink_to(room);
            self.bytes.resize(room, 0);
        }
        match from.read(&mut self.bytes[self.filled..]) {
            Ok(0) => Ok(None),
            Ok(size) => {
                self.filled += size;
                Ok(Some(self.filled == self.bytes.len()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Some(false)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(true)),
            Err(error) => Err(error),
        }
    }

    /// Expects messages behind `mark`; whatever comes before it is dropped.
    pub(crate) fn behind(mark: &'static [u8]) -> Self {
        Self {
            mark,
            ..Self::default()
        }
    }

    /// Looks for the mark, if there is one to come.
    fn skip(&mut self) {
        let (mark, come) = (self.mark, &self.bytes[self.taken..self.filled]);
        if mark.is_empty() {
            return;
        }
        let at = come.windows(mark.len()).position(|part| part == mark);
        let without = come.len().saturating_sub(mark.len() - 1);
        self.taken += at.map_or(without, |at| at + mark.len());
        if at.is_some() {
            self.mark = &[];
        }
    }

    /// Whether a part of a message has come.
    pub(crate) fn is_within(&self) -> bool {
        self.taken < self.filled
    }

    /// The size of the next message, if that much is known.
    fn size(&self) -> io::Result<Option<usize>> {
        if !self.mark.is_empty() {
            return Ok(None);
        }
        let size = self.bytes[self.taken..self.filled].first_chunk();
        match size.map(|size| u32::from_le_bytes(*size) as usize) {
            Some(size) if size > MESSAGE_LIMIT_BYTES => Err(too_large(size)),
            size => Ok(size),
        }
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> io::Result<Option<Message>> {
        self.skip();
        let Some(size) = self.size()? else {
            return Ok(None);
        };
        let end = self.taken + 4 + size;
        if self.filled < end {
            return Ok(None);
        }
        if self.taken == 0 && self.filled == end && size > COPIED_BYTES {
            self.bytes.truncate(end);
            self.filled = 0;
            return Ok(Some((mem::take(&mut self.bytes), 4)));
        }
        let message = self.bytes[self.taken + 4..end].to_vec();
        self.taken = end;
        Ok(Some((message, 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_message_leaves_no_large_buffer() {
        let message = |size: usize| [&(size as u32).to_le_bytes()[..], &vec![7; size]].concat();
        let mut incoming = Incoming::default();
        for size in [COPIED_BYTES * 10, 3, COPIED_BYTES * 2, 0] {
            let sent = message(size);
            let mut from = &sent[..];
            let (bytes, at) = loop {
                if let Some(message) = incoming.next().expect("a size in bounds") {
                    break message;
                }
                incoming.read(&mut from).expect("bytes never fail");
            };
            assert!(bytes[at..] == sent[4..], "{size}");
        }
        assert!(incoming.bytes.capacity() <= COPIED_BYTES);
    }
}
