//! The link where there is no Unix: the child calls back over loopback and shows a word it was given.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// What comes from the other end.
#[derive(Debug)]
pub(super) struct Input(TcpStream);

/// What goes to the other end.
#[derive(Debug)]
pub(super) struct Output(TcpStream);

impl Input {
    pub(super) fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(limit)
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

impl Output {
    pub(super) fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.0.set_write_timeout(limit)
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

/// Waits for the other end of a link to close; made by
/// [`LinkReceiver::closing`](super::LinkReceiver::closing).
#[derive(Debug)]
pub struct Closing(TcpStream);

impl Closing {
    /// Blocks until the other end has closed.
    pub fn wait(&self) {
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

    pub(in super::super) fn stream(self) -> io::Result<TcpStream> {
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
                        return Ok(stream);
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
