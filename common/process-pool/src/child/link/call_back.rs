//! The link where there is no Unix: the child calls back over loopback and shows a word it was given.
//!
//! A worker is looked at once a millisecond, and has one task at a time. Read, never run.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A message up to this size is sent whole or not at all: no message is.
pub(crate) const PACKET_BYTES: usize = 0;

/// What comes from the other end.
#[derive(Debug)]
pub(super) struct Input(TcpStream);

/// What goes to the other end.
#[derive(Debug)]
pub(super) struct Output(TcpStream);

impl Input {
    /// Waits until there is something to read, for at most `limit`; without one, reading waits.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(limit)?;
        limit.map_or(Ok(()), |_| self.0.peek(&mut [0]).map(drop))
    }

    pub(super) fn closing(&self) -> io::Result<Closing> {
        self.0.try_clone().map(Closing)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // An already closed connection is what is asked for.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

/// Waits for the other end of a link to close.
#[derive(Debug)]
pub(crate) struct Closing(TcpStream);

impl Closing {
    /// Blocks until the other end has closed.
    pub(crate) fn wait(&self) {
        while matches!(self.0.peek(&mut [0]), Ok(1..)) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The parent's side of a connection that its child has yet to take.
pub(crate) struct Offer {
    listener: TcpListener,
    word: u128,
}

const CALL_BACK: &str = "CONCURRENCY_LAB_CALL_BACK";

impl Offer {
    pub(in super::super) fn to(command: &mut Command) -> io::Result<Self> {
        use std::hash::{BuildHasher, RandomState};
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let half = || u128::from(RandomState::new().hash_one(std::process::id()));
        let word = half() << 64 | half();
        command.env(CALL_BACK, format!("{} {word:032x}", listener.local_addr()?));
        command.stdin(Stdio::null()).stdout(io::stderr());
        Ok(Self { listener, word })
    }

    pub(super) fn wires(self) -> io::Result<(Input, Output)> {
        new(self.stream()?)
    }

    fn stream(self) -> io::Result<TcpStream> {
        let deadline = Instant::now() + Duration::from_secs(10);
        self.listener.set_nonblocking(true)?;
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    let mut shown = [0; 16];
                    stream.read_exact(&mut shown)?;
                    if u128::from_le_bytes(shown) == self.word {
                        return Ok(stream);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() > deadline {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    thread::sleep(LOOK_EVERY);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn new(stream: TcpStream) -> io::Result<(Input, Output)> {
    Ok((Input(stream.try_clone()?), Output(stream)))
}

/// Calls the parent back.
pub(super) fn inherited() -> io::Result<(Input, Output)> {
    let unusable = || io::Error::from(io::ErrorKind::NotConnected);
    let call_back = std::env::var(CALL_BACK).map_err(|_| unusable())?;
    let (address, word) = call_back.split_once(' ').ok_or_else(unusable)?;
    let word = u128::from_str_radix(word, 16).map_err(|_| unusable())?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&word.to_le_bytes())?;
    new(stream)
}

/// A worker as its parent waits for it. Only [`Line::wait`] waits.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) answers: TcpStream,
    is_silent: bool,
}

/// What there is to do for a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: bool,
    pub(crate) room: bool,
    pub(crate) end: bool,
}

impl Line {
    pub(crate) fn new(offer: Offer, _: u32) -> io::Result<Self> {
        let answers = offer.stream()?;
        answers.set_nonblocking(true)?;
        let is_silent = false;
        Ok(Self { answers, is_silent })
    }

    pub(crate) fn can_take_back(&self) -> bool {
        false
    }

    pub(crate) fn send_whole(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> usize {
        (&self.answers).write(bytes).unwrap_or(0)
    }

    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    pub(crate) fn close(&mut self) {
        // It may be closed already.
        let _ = self.answers.shutdown(Shutdown::Write);
    }

    pub(crate) fn silence(&mut self) {
        self.is_silent = true;
    }

    pub(crate) fn look_every(&self, is_ending: bool) -> Option<Duration> {
        Some(Duration::from_millis(if is_ending { 5 } else { 100 }))
    }

    fn has_answers(&self) -> bool {
        let peeked = self.answers.peek(&mut [0]);
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Waits until there is something to do for a worker, for at most `limit`.
    pub(crate) fn wait(
        line: Option<&Self>,
        waker: &Waker,
        room: bool,
        limit: Option<Duration>,
    ) -> Seen {
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            let answers = line.is_some_and(|line| !line.is_silent && line.has_answers());
            let is_over = deadline.is_some_and(|deadline| deadline <= Instant::now());
            if waker.0.swap(false, Ordering::SeqCst) || is_over || answers || room {
                let end = line.is_some();
                return Seen { answers, room, end };
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// Ends a [`Line::wait`] from another thread.
#[derive(Debug)]
pub(crate) struct Waker(AtomicBool);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(AtomicBool::new(false)))
    }

    pub(crate) fn wake(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
