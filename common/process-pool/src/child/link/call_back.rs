//! The link where there is no Unix: the child calls back over loopback and shows a word it was given.
//!
//! What there is to do is looked for once a millisecond. Compiled, never run.

use crate::child::Seen;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What one write sends, as it is often enough.
pub(crate) const PACKET_BYTES: usize = 4096;
const CALL_BACK: &str = "CONCURRENCY_LAB_CALL_BACK";

/// What comes from the other end.
#[derive(Debug)]
pub(crate) struct Input(TcpStream);

/// What goes to the other end.
#[derive(Debug)]
pub(super) struct Output(TcpStream);

impl Input {
    /// Reads once, behind the bytes that are there, as much as these have room for.
    pub(super) fn read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let start = bytes.len();
        bytes.resize(bytes.capacity(), 0);
        let read = (&self.0).read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().map_or(0, |size| *size));
        read
    }

    /// Waits until there is something to read, for at most `limit`; without one, reading waits.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(limit)?;
        limit.map_or(Ok(()), |_| self.0.peek(&mut [0]).map(drop))
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Waits until the other end has closed, and reads nothing.
    pub(super) fn wait_for_end(&self) {
        while matches!(self.0.peek(&mut [0]), Ok(1..)) {
            thread::sleep(Duration::from_millis(20));
        }
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

/// Calls the parent back.
pub(super) fn inherited() -> io::Result<(Input, Output)> {
    let unusable = || io::Error::from(io::ErrorKind::NotConnected);
    let call_back = std::env::var(CALL_BACK).map_err(|_| unusable())?;
    let (address, word) = call_back.split_once(' ').ok_or_else(unusable)?;
    let word = u128::from_str_radix(word, 16).map_err(|_| unusable())?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(&word.to_le_bytes())?;
    Ok((Input(stream.try_clone()?), Output(stream)))
}

/// The parent's side of a connection that its child has yet to take.
pub(crate) struct Offer(TcpListener, u128);

impl Offer {
    pub(in super::super) fn to(command: &mut Command) -> io::Result<Self> {
        use std::hash::{BuildHasher, RandomState};
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let half = || u128::from(RandomState::new().hash_one(std::process::id()));
        let word = half() << 64 | half();
        command.env(CALL_BACK, format!("{} {word:032x}", listener.local_addr()?));
        command.stdin(Stdio::null()).stdout(io::stderr());
        Ok(Self(listener, word))
    }

    pub(super) fn wires(self) -> io::Result<(Input, Output)> {
        let deadline = Instant::now() + Duration::from_secs(10);
        self.0.set_nonblocking(true)?;
        while Instant::now() < deadline {
            match self.0.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    let mut shown = [0; 16];
                    stream.read_exact(&mut shown)?;
                    if u128::from_le_bytes(shown) == self.1 {
                        return Ok((Input(stream.try_clone()?), Output(stream)));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(LOOK_EVERY)
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    pub(crate) fn line(self, _: u32) -> io::Result<Line> {
        let (answers, tasks) = self.wires()?;
        tasks.0.set_nonblocking(true)?;
        let (tasks, watch) = (Some(tasks), Watch);
        Ok(Line {
            answers,
            tasks,
            watch,
        })
    }
}

/// A worker as its parent has it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) answers: Input,
    tasks: Option<Output>,
    pub(crate) watch: Watch,
}

impl Line {
    pub(crate) fn wait(
        &self,
        (answer, room): (bool, bool),
        waker: Option<&Waker>,
        deadline: Option<Instant>,
    ) -> Seen {
        if answer && self.has_answer() {
            return Seen::Answer;
        }
        let seen = look(waker, deadline);
        if room && seen == Seen::End {
            Seen::Room
        } else {
            seen
        }
    }

    pub(crate) fn has_answer(&self) -> bool {
        let peeked = self.answers.0.peek(&mut [0]);
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let tasks = self.tasks.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        match (&tasks.0).write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            sent => sent,
        }
    }

    pub(crate) fn unread(&self) -> usize {
        0
    }

    pub(crate) fn can_take_back(&self) -> bool {
        false
    }

    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    pub(crate) fn close(&mut self) {
        self.tasks = None;
    }
}

/// Nothing reports the end of a process here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch;

/// Ends a wait from another thread.
#[derive(Debug)]
pub(crate) struct Waker(AtomicBool);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(AtomicBool::new(false)))
    }

    pub(crate) fn wake(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn wait(&self, _: &Watch, deadline: Option<Instant>) -> Seen {
        look(Some(self), deadline)
    }

    pub(crate) fn rest(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Looks whether there is anything to do, after a moment.
fn look(waker: Option<&Waker>, deadline: Option<Instant>) -> Seen {
    thread::sleep(LOOK_EVERY);
    if waker.is_some_and(|waker| waker.0.swap(false, Ordering::SeqCst)) {
        Seen::Woken
    } else if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        Seen::Late
    } else {
        Seen::End
    }
}
