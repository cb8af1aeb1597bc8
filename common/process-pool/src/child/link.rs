//! The private connection between a parent and its child: whole messages, both ways.

use crate::wire;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Write},
    mem,
    ops::Range,
    process, thread,
    time::Duration,
};

#[cfg_attr(unix, path = "link/pipes.rs")]
#[cfg_attr(not(unix), path = "link/call_back.rs")]
mod wires;

use wires::{Input, Output};
pub(crate) use wires::{Line, Offer, PACKET_BYTES, Waker, Watch};

/// A longer message is refused: a size that says more is no size.
pub(crate) const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// At least so much is read at once.
const READ_BYTES: usize = 64 << 10;
/// A larger buffer is not kept for the next message.
const KEPT_BYTES: usize = 4 << 20;

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
pub struct LinkSender(Output);

impl Link {
    /// The parent's end.
    pub(super) fn of(offer: Offer) -> io::Result<Self> {
        offer.wires().map(Self::new)
    }

    fn new((input, output): (Input, Output)) -> Self {
        Self {
            sender: LinkSender(output),
            receiver: LinkReceiver {
                input,
                incoming: Incoming::default(),
                limit: None,
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
fn exit_now() -> ! {
    process::exit(0)
}

impl LinkSender {
    /// Sends one message; see [`Link::send`].
    ///
    /// # Errors
    /// As [`Link::send`].
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut framed = vec![0; 4];
        wire::encode(message, &mut framed)
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        wire::write_size(&mut framed);
        self.send_raw(&framed)
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

impl LinkReceiver {
    /// Waits for the next message; see [`Link::receive`].
    ///
    /// # Errors
    /// The connection broke in mid-message, a timeout passed (`TimedOut`), or the message does not
    /// decode (`InvalidData`).
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let decoded = self.receive_raw()?.map(postcard::from_bytes).transpose();
        decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Waits for the bytes of the next message.
    pub(crate) fn receive_raw(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            if let Some(place) = self.incoming.next()? {
                return Ok(Some(self.incoming.bytes(place)));
            }
            self.input.wait(self.limit)?;
            if !self.incoming.fill(&self.input)? {
                let is_within = !self.incoming.is_empty();
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return if is_within { Err(error) } else { Ok(None) };
            }
        }
    }

    /// Lets a [`receive`](Self::receive) fail with `TimedOut` when nothing comes for `limit`.
    pub fn set_timeout(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// Has a thread end this process with its parent, so that it does so in mid-task, too.
    pub(crate) fn watch_parent(&self) -> io::Result<()> {
        let input = self.input.try_clone()?;
        #[cfg(unix)]
        let parent = std::os::unix::process::parent_id();
        let watching = move || {
            input.wait_for_end();
            // The parent may have closed the link to let an idle worker end by itself.
            #[cfg(unix)]
            while std::os::unix::process::parent_id() == parent {
                thread::sleep(Duration::from_millis(5));
            }
            // What a task started ends, too: `Child` made this process the leader of its group.
            #[cfg(unix)]
            if rustix::process::getpgrp() == rustix::process::getpid() {
                super::kill_group(process::id());
            }
            exit_now()
        };
        let watcher = thread::Builder::new().name("watcher".into());
        watcher.spawn(watching).map(drop)
    }
}

/// Bytes that have come in, and the messages in them.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    taken: usize,
}

impl Incoming {
    /// Reads once, and waits for that; `false` at the end. What was taken is gone then.
    pub(crate) fn fill(&mut self, input: &Input) -> io::Result<bool> {
        self.bytes.drain(..mem::take(&mut self.taken));
        // One large message is no reason to keep its memory for ever.
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes.shrink_to(0);
        }
        let wanted = self.size().ok().flatten().map_or(0, |size| 4 + size);
        let more = wanted.saturating_sub(self.bytes.len()).max(1);
        self.bytes
            .reserve_exact(more.max(READ_BYTES.saturating_sub(self.bytes.len())));
        Ok(input.read(&mut self.bytes)? > 0)
    }

    /// The size of the next message, if that much is known.
    fn size(&self) -> io::Result<Option<usize>> {
        match wire::size(&self.bytes[self.taken..]) {
            Some(size) if size > MESSAGE_LIMIT_BYTES => Err(io::ErrorKind::InvalidData.into()),
            size => Ok(size),
        }
    }

    /// Takes the next whole message, if there is one; returns where it is.
    pub(crate) fn next(&mut self) -> io::Result<Option<Range<usize>>> {
        let start = self.taken + 4;
        let size = self.size()?;
        let size = size.filter(|size| start + size <= self.bytes.len());
        self.taken = size.map_or(self.taken, |size| start + size);
        Ok(size.map(|_| start..self.taken))
    }

    pub(crate) fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }

    /// Where the next message begins.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The bytes of messages that were taken, and where in them they begin.
    pub(crate) fn own(&mut self, place: Range<usize>) -> (Vec<u8>, usize) {
        if place.len() > READ_BYTES && place.end == self.bytes.len() {
            self.taken = 0;
            return (mem::take(&mut self.bytes), place.start);
        }
        (self.bytes[place].to_vec(), 0)
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
