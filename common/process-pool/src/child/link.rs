//! The private connection between a parent and its child: whole messages, both ways.

use super::incoming::{Incoming, Message};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

#[cfg_attr(unix, path = "link/pipes.rs")]
#[cfg_attr(not(unix), path = "link/call_back.rs")]
mod wires;

pub(crate) use wires::{Closing, Line, Offer, PACKET_BYTES, Seen, Waker};
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
    input: Input,
    incoming: Incoming,
    limit: Option<Duration>,
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
                input,
                incoming: Incoming::default(),
                limit: None,
            },
        }
    }

    /// The parent's end, once the child runs.
    pub(super) fn of(offer: Offer) -> io::Result<Self> {
        offer.wires().map(Self::new)
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
    /// As [`LinkReceiver::receive`].
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        self.receiver.receive()
    }

    /// Takes the link apart, so that one thread can read while another writes.
    ///
    /// Dropping the sender lets the other end know that no more will come.
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

/// Ends a child whose parent is gone; there is nothing to return to.
#[expect(
    clippy::exit,
    reason = "the parent is gone, and `main` may be busy for ever"
)]
pub(crate) fn exit_now() -> ! {
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

    /// Sends bytes that are no message.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Sends one message and, behind it, the bytes of `payload` as they are.
    pub(crate) fn send_with(&mut self, message: &impl Serialize, payload: &[u8]) -> io::Result<()> {
        self.frame.clear();
        self.frame.shrink_to(COPIED_BYTES);
        self.frame.extend_from_slice(&[0; 4]);
        self.frame = postcard::to_extend(message, std::mem::take(&mut self.frame))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let size = self.frame.len() - 4 + payload.len();
        let length = u32::try_from(size).ok();
        let length = length.filter(|_| size <= MESSAGE_LIMIT_BYTES);
        let length = length.ok_or_else(|| too_large(size))?;
        self.frame[..4].copy_from_slice(&length.to_le_bytes());
        if payload.len() <= COPIED_BYTES {
            // One call of the system costs more than the copy.
            self.frame.extend_from_slice(payload);
            return self.output.write_all(&self.frame);
        }
        self.output.write_all(&self.frame)?;
        self.output.write_all(payload)
    }
}

impl LinkReceiver {
    /// Waits for the next message; see [`Link::receive`].
    ///
    /// # Errors
    /// The connection broke in mid-message, a timeout passed (`TimedOut`), or the message does not
    /// decode (`InvalidData`).
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some((message, from)) = self.receive_message()? else {
            return Ok(None);
        };
        let decoded = postcard::from_bytes(&message[from..]);
        decoded
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Waits for the next message.
    pub(crate) fn receive_message(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(message) = self.incoming.next()? {
                return Ok(Some(message));
            }
            self.input.wait(self.limit)?;
            if self.incoming.read(&mut self.input)?.is_none() {
                let is_within = self.incoming.is_within();
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return if is_within { Err(error) } else { Ok(None) };
            }
        }
    }

    /// Something that waits for the other end to close, and reads nothing.
    pub(crate) fn closing(&self) -> io::Result<Closing> {
        self.input.closing()
    }

    /// Lets a [`receive`](Self::receive) fail with `TimedOut` when nothing comes for `limit`.
    pub fn set_timeout(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }
}

pub(super) fn too_large(size: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {size} bytes is past the limit of {MESSAGE_LIMIT_BYTES}"),
    )
}
