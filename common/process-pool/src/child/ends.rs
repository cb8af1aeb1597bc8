//! The parent's ends of many links at once, for one thread that waits for all of them.

#[cfg_attr(unix, path = "ends/pipes.rs")]
#[cfg_attr(not(unix), path = "ends/sockets.rs")]
mod platform;

pub(crate) use platform::{Ends, Seen, Waker, Watch, Watched, wait};

use super::link::{COPIED_BYTES, MESSAGE_LIMIT_BYTES};
use std::io;

/// A message up to this size arrives whole or not at all.
pub(crate) const PACKET_BYTES: usize = 4096;

/// What has come from a worker and was not yet looked at.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    filled: usize,
    taken: usize,
}

impl Incoming {
    /// Reads once; whether there may be more, `None` at the end.
    pub(crate) fn read(&mut self, ends: &Ends) -> io::Result<Option<bool>> {
        let wanted = match self.size()? {
            Some(size) => 4 + size,
            None => COPIED_BYTES,
        };
        if self.taken > 0 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        let room = wanted.max(COPIED_BYTES);
        if self.bytes.len() != room && self.filled < room {
            // One large message is no reason to keep its memory for ever.
            self.bytes.truncate(room);
            self.bytes.shrink_to(room);
            self.bytes.resize(room, 0);
        }
        match ends.receive(&mut self.bytes[self.filled..]) {
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

    /// The size of the next message, if that much is known.
    fn size(&self) -> io::Result<Option<usize>> {
        let Some(size) = self.bytes[self.taken..self.filled].first_chunk() else {
            return Ok(None);
        };
        let size = u32::from_le_bytes(*size) as usize;
        if size > MESSAGE_LIMIT_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Some(size))
    }

    /// The next whole message, and where in the bytes it begins.
    pub(crate) fn next(&mut self) -> io::Result<Option<(Vec<u8>, usize)>> {
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
            return Ok(Some((std::mem::take(&mut self.bytes), 4)));
        }
        let message = self.bytes[self.taken + 4..end].to_vec();
        self.taken = end;
        Ok(Some((message, 0)))
    }
}
