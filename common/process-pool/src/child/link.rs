//! The private connection between a parent and its child: whole messages, both ways.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    thread,
    time::Duration,
};

#[cfg_attr(unix, path = "link/pipes.rs")]
#[cfg_attr(not(unix), path = "link/call_back.rs")]
mod wires;

pub use wires::Closing;
pub(crate) use wires::Offer;
use wires::{Input, Output};

/// A longer message is refused: a length field that says more is not a length.
pub(crate) const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// A payload up to this size is copied behind its message, to leave in one call.
pub(crate) const COPIED_BYTES: usize = 64 * 1024;

/// One end of the connection between parent and child.
#[derive(Debug)]
pub struct Link {
    receiver: LinkReceiver,
    sender: LinkSender,
}

/// The half of a [`Link`] that takes messages in.
#[derive(Debug)]
pub struct LinkReceiver {
    input: BufReader<Input>,
    frame: Vec<u8>,
}

/// The half of a [`Link`] that sends messages out.
#[derive(Debug)]
pub struct LinkSender {
    output: Output,
    frame: Vec<u8>,
}

impl Link {
    fn new((input, output): (Input, Output)) -> Self {
        Self {
            sender: LinkSender {
                output,
                frame: Vec::new(),
            },
            receiver: LinkReceiver {
                input: BufReader::with_capacity(64 * 1024, input),
                frame: Vec::new(),
            },
        }
    }

    /// The link that this process was started with.
    pub(super) fn inherited() -> io::Result<Self> {
        wires::inherited().map(Self::new)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The other end is gone, or the message cannot be encoded (`InvalidData`; nothing is sent).
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.sender.send(message)
    }

    /// Waits for the next message; `None` when the other end has closed.
    ///
    /// # Errors
    /// The connection broke in mid-message, a read timeout passed, or the message does not decode
    /// (`InvalidData`).
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        self.receiver.receive()
    }

    /// Takes the link apart, so that one thread can read while another writes.
    ///
    /// Dropping the sender tells the other end that no more will come.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }

    /// Ends this process as soon as the parent is gone; for roles that expect no messages.
    pub fn exit_with_parent(self) {
        let (sender, mut receiver) = self.split();
        thread::spawn(move || {
            while let Ok(Some(())) = receiver.receive::<()>() {}
            drop(sender);
            exit_now();
        });
    }
}

/// Ends a child whose parent is gone; nobody is left to return to.
#[expect(
    clippy::exit,
    reason = "the parent is gone, and `main` may be busy for ever"
)]
fn exit_now() -> ! {
    std::process::exit(0)
}

impl LinkSender {
    /// Sends one message; see [`Link::send`].
    ///
    /// # Errors
    /// As [`Link::send`].
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.send_with(message, &[])
    }

    /// Sends one message and behind it, as they are, the bytes of `payload`, piece by piece.
    ///
    /// # Errors
    /// As [`Link::send`].
    pub fn send_with(&mut self, message: &impl Serialize, payload: &[&[u8]]) -> io::Result<()> {
        self.frame.clear();
        self.frame.shrink_to(COPIED_BYTES);
        self.frame.extend_from_slice(&[0; 4]);
        self.frame = postcard::to_extend(message, std::mem::take(&mut self.frame))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let behind: usize = payload.iter().map(|piece| piece.len()).sum();
        let size = self.frame.len() - 4 + behind;
        let length = u32::try_from(size)
            .ok()
            .filter(|_| size <= MESSAGE_LIMIT_BYTES)
            .ok_or_else(|| too_large(size))?;
        self.frame[..4].copy_from_slice(&length.to_le_bytes());
        if behind <= COPIED_BYTES {
            // One call of the system costs more than the copy.
            for piece in payload {
                self.frame.extend_from_slice(piece);
            }
            return self.output.write_all(&self.frame);
        }
        self.output.write_all(&self.frame)?;
        for piece in payload {
            self.output.write_all(piece)?;
        }
        Ok(())
    }

    /// Lets a [`send`](Self::send) fail with `WouldBlock` or `TimedOut` when the other end has taken
    /// nothing for `limit`.
    ///
    /// # Errors
    /// The system refuses the limit.
    pub fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.output.set_timeout(limit)
    }
}

impl LinkReceiver {
    /// Waits for the next message; see [`Link::receive`].
    ///
    /// # Errors
    /// As [`Link::receive`].
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        Ok(self.receive_with()?.map(|(message, _)| message))
    }

    /// Waits for the next message and what was sent behind it.
    ///
    /// # Errors
    /// As [`Link::receive`].
    pub fn receive_with<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, &[u8])>> {
        let mut length = [0; 4];
        // `fill_buf` tells the end between messages from one within; a signal is neither.
        loop {
            match self.input.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.input.read_exact(&mut length)?;
        let size = u32::from_le_bytes(length) as usize;
        if size > MESSAGE_LIMIT_BYTES {
            return Err(too_large(size));
        }
        if self.frame.len() < size {
            self.frame.resize(size, 0);
        } else if self.frame.len() > COPIED_BYTES && size <= COPIED_BYTES {
            // One large message is no reason to keep its memory for ever.
            self.frame = vec![0; COPIED_BYTES];
        }
        let frame = &mut self.frame[..size];
        self.input.read_exact(frame)?;
        postcard::take_from_bytes(frame)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Something that waits for the other end to close, and reads nothing.
    ///
    /// # Errors
    /// The system refuses a second handle of the connection.
    pub fn closing(&self) -> io::Result<Closing> {
        self.input.get_ref().closing()
    }

    /// Lets a [`receive`](Self::receive) fail with `WouldBlock` or `TimedOut` after `limit`.
    ///
    /// # Errors
    /// The system refuses the limit.
    pub fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.input.get_mut().set_timeout(limit)
    }
}

fn too_large(size: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {size} bytes is past the limit of {MESSAGE_LIMIT_BYTES}"),
    )
}

impl Offer {
    /// Takes the parent's end, once the child runs.
    pub(super) fn accept(self) -> io::Result<Link> {
        self.wires().map(Link::new)
    }
}
