//! The private connection between a parent and its child: whole messages, both ways.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::Shutdown,
    process::Command,
    thread,
    time::Duration,
};

#[cfg(not(unix))]
use std::net::{TcpListener, TcpStream as Stream};
#[cfg(unix)]
use std::os::unix::net::UnixStream as Stream;

/// A longer message is refused: a length field that says more is not a length.
pub(super) const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// A payload up to this size is copied behind its message, to leave in one call.
const COPIED_BYTES: usize = 64 * 1024;

/// One end of the connection between parent and child.
#[derive(Debug)]
pub struct Link {
    receiver: LinkReceiver,
    sender: LinkSender,
}

/// The half of a [`Link`] that takes messages in.
#[derive(Debug)]
pub struct LinkReceiver {
    input: BufReader<Stream>,
    frame: Vec<u8>,
}

/// The half of a [`Link`] that sends messages out.
#[derive(Debug)]
pub struct LinkSender {
    output: Stream,
    frame: Vec<u8>,
}

impl Link {
    fn new(stream: Stream) -> io::Result<Self> {
        Ok(Self {
            sender: LinkSender {
                output: stream.try_clone()?,
                frame: Vec::new(),
            },
            receiver: LinkReceiver {
                input: BufReader::with_capacity(64 * 1024, stream),
                frame: Vec::new(),
            },
        })
    }

    /// The link that this process was started with.
    pub(super) fn inherited() -> io::Result<Self> {
        Self::new(inherited_stream()?)
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
    /// The system refuses the limit, as it does a zero one.
    pub fn set_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.output.set_write_timeout(limit)
    }

    /// Closes both directions: the other end sees the end of the connection.
    pub fn close(&self) {
        // An already closed connection is what was asked for.
        let _ = self.output.shutdown(Shutdown::Both);
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
        // Never made smaller: what grows again would have to be cleared again.
        if self.frame.len() < size {
            self.frame.resize(size, 0);
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
        Ok(Closing(self.input.get_ref().try_clone()?))
    }

    /// Lets a [`receive`](Self::receive) fail with `WouldBlock` or `TimedOut` after `limit`.
    ///
    /// # Errors
    /// The system refuses the limit, as it does a zero one.
    pub fn set_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        self.input.get_ref().set_read_timeout(limit)
    }
}

/// Waits for the other end of a link to close; made by [`LinkReceiver::closing`].
#[derive(Debug)]
pub struct Closing(Stream);

impl Closing {
    /// Blocks until the other end has closed.
    #[cfg(unix)]
    pub fn wait(&self) {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        // No event is asked for: the end is told without.
        let mut ends = [PollFd::new(self.0.as_fd(), PollFlags::empty())];
        while let Ok(0) | Err(nix::errno::Errno::EINTR) = poll(&mut ends, PollTimeout::NONE) {}
    }

    /// Blocks until the other end has closed.
    #[cfg(not(unix))]
    pub fn wait(&self) {
        while matches!(self.0.peek(&mut [0]), Ok(1..)) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn too_large(size: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("a message of {size} bytes is past the limit of {MESSAGE_LIMIT_BYTES}"),
    )
}

/// The parent's side of a connection that its child has yet to take.
#[cfg(unix)]
pub(super) struct Offer(Stream);

#[cfg(unix)]
impl Offer {
    pub(super) fn to(command: &mut Command) -> io::Result<Self> {
        let (ours, theirs) = Stream::pair()?;
        command.stdin(std::os::fd::OwnedFd::from(theirs));
        Ok(Self(ours))
    }

    pub(super) fn accept(self) -> io::Result<Link> {
        Link::new(self.0)
    }
}

#[cfg(unix)]
fn inherited_stream() -> io::Result<Stream> {
    use std::os::fd::AsFd;
    // The copy closes on exec, and descriptor 0 becomes empty: neither what this process starts
    // nor what it reads from its standard input can touch the link.
    let link = io::stdin().as_fd().try_clone_to_owned()?;
    let nothing = std::fs::File::open("/dev/null")?;
    nix::unistd::dup2_stdin(nothing)?;
    let stream = Stream::from(link);
    stream.peer_addr()?;
    Ok(stream)
}

/// Elsewhere the child calls back over loopback and shows the word it was given.
#[cfg(not(unix))]
pub(super) struct Offer {
    listener: TcpListener,
    word: u128,
}

#[cfg(not(unix))]
const CALL_BACK: &str = "CONCURRENCY_LAB_CALL_BACK";

#[cfg(not(unix))]
impl Offer {
    pub(super) fn to(command: &mut Command) -> io::Result<Self> {
        use std::hash::{BuildHasher, RandomState};
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let half = || u128::from(RandomState::new().hash_one(std::process::id()));
        let word = half() << 64 | half();
        command.env(CALL_BACK, format!("{} {word:032x}", listener.local_addr()?));
        command.stdin(std::process::Stdio::null());
        Ok(Self { listener, word })
    }

    pub(super) fn accept(self) -> io::Result<Link> {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        self.listener.set_nonblocking(true)?;
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    let mut shown = [0; 16];
                    stream.read_exact(&mut shown)?;
                    if u128::from_le_bytes(shown) == self.word {
                        return Link::new(stream);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if std::time::Instant::now() > deadline {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(not(unix))]
fn inherited_stream() -> io::Result<Stream> {
    let unusable = || io::Error::from(io::ErrorKind::NotConnected);
    let call_back = std::env::var(CALL_BACK).map_err(|_| unusable())?;
    let (address, word) = call_back.split_once(' ').ok_or_else(unusable)?;
    let word = u128::from_str_radix(word, 16).map_err(|_| unusable())?;
    let mut stream = Stream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&word.to_le_bytes())?;
    Ok(stream)
}
