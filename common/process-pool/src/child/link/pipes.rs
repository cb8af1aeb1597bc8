//! The link on Unix: two pipes, which carry short messages faster than a pair of sockets does.
//!
//! On Linux the pipe to a worker holds *packets*: one read takes one message and no part of the
//! next. So what lies in the pipe is exactly what the worker has not begun, and the parent, which
//! has the reading end open too, can take it back.

use nix::{
    sys::{
        resource::{Resource, getrlimit},
        stat,
    },
    unistd,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A message up to this size arrives whole or not at all.
pub(crate) const PACKET_BYTES: usize = 4096;

/// A user may have pipes of 64 MiB in all before new ones get smaller.
#[cfg(target_os = "linux")]
const PIPE_BYTES: i32 = 256 << 10;

#[cfg(target_os = "linux")]
const PACKETS: OFlags = OFlags::NONBLOCK.union(OFlags::DIRECT);
#[cfg(not(target_os = "linux"))]
const PACKETS: OFlags = OFlags::NONBLOCK;

/// What comes from the other end.
#[derive(Debug)]
pub(super) struct Input(PipeReader);

/// What goes to the other end.
pub(super) type Output = PipeWriter;

impl Input {
    /// Waits until there is something to read, for at most `limit`; without one, reading waits.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        let Some(limit) = limit else { return Ok(()) };
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match poll(
                &mut [PollFd::new(&self.0, PollFlags::IN)],
                timespec(Some(left)).as_ref(),
            ) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Err(Errno::INTR) => {}
                waited => return Ok(waited.map(drop)?),
            }
        }
    }

    pub(super) fn closing(&self) -> io::Result<Closing> {
        out_of_the_way(self.0.as_fd()).map(Closing)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

fn timespec(limit: Option<Duration>) -> Option<Timespec> {
    limit.map(|limit| Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    })
}

/// Waits for the other end of a link to close.
#[derive(Debug)]
pub(crate) struct Closing(OwnedFd);

impl Closing {
    /// Blocks until the other end has closed.
    pub(crate) fn wait(&self) {
        // No event is asked for: the end is reported without.
        let mut ends = [PollFd::new(&self.0, PollFlags::empty())];
        while let Ok(0) | Err(Errno::INTR) = poll(&mut ends, None) {}
    }
}

/// The parent's side of a connection that its child has yet to take.
pub(crate) struct Offer {
    input: PipeReader,
    output: PipeWriter,
    /// The child's end of `output`, opened once more.
    unread: Option<File>,
}

impl Offer {
    pub(in super::super) fn to(command: &mut Command) -> io::Result<Self> {
        let (theirs, output) = io::pipe()?;
        let unread = open_again(&theirs);
        command.stdin(theirs);
        let (input, theirs) = io::pipe()?;
        command.stdout(theirs);
        Ok(Self {
            input,
            output,
            unread,
        })
    }

    pub(super) fn wires(self) -> io::Result<(Input, Output)> {
        Ok((Input(self.input), self.output))
    }
}

/// Opens a pipe's end as a file of its own, whose reads do not wait whatever the child's do.
#[cfg(target_os = "linux")]
fn open_again(end: &PipeReader) -> Option<File> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", end.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, rustix::fs::Mode::empty());
    opened.ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn open_again(_: &PipeReader) -> Option<File> {
    None
}

/// Takes the pipes from this process's standard input and output.
pub(super) fn inherited() -> io::Result<(Input, Output)> {
    // The copies close on exec, and descriptors 0 and 1 become something else: neither what this
    // process starts nor what it reads and prints can touch the link.
    let input = pipe_at(io::stdin().as_fd())?;
    let output = pipe_at(io::stdout().as_fd())?;
    unistd::dup2_stdin(File::open("/dev/null")?)?;
    unistd::dup2_stdout(io::stderr())?;
    Ok((Input(input.into()), output.into()))
}

fn pipe_at(end: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let kind = stat::SFlag::from_bits_truncate(stat::fstat(end)?.st_mode) & stat::SFlag::S_IFMT;
    if kind != stat::SFlag::S_IFIFO {
        return Err(io::ErrorKind::NotConnected.into());
    }
    out_of_the_way(end)
}

/// A copy with a high number: a task that closes descriptors it does not own, and opens files
/// then, gets none of these.
fn out_of_the_way(end: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let lowest = i32::try_from(limit.min(1024)).map_or(0, |limit| limit - 16);
    let high = rustix::io::fcntl_dupfd_cloexec(end, lowest.max(3));
    high.or_else(|_| rustix::io::fcntl_dupfd_cloexec(end, 3))
        .map_err(io::Error::from)
}

/// A worker as its parent waits for it: its pipes and its process. Only [`Line::wait`] waits.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) answers: PipeReader,
    /// Closed, the worker ends by itself.
    tasks: Option<PipeWriter>,
    unread: Option<File>,
    /// Where the system can report the end of a process.
    process: Option<OwnedFd>,
    is_silent: bool,
}

/// What there is to do for a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: bool,
    pub(crate) room: bool,
    /// Its process has ended, or may have.
    pub(crate) end: bool,
}

impl Line {
    pub(crate) fn new(offer: Offer, pid: u32) -> io::Result<Self> {
        let line = Self {
            answers: offer.input,
            tasks: Some(offer.output),
            unread: offer.unread,
            process: watch(pid)?,
            is_silent: false,
        };
        fcntl_setfl(&line.answers, OFlags::NONBLOCK)?;
        line.send_whole(true)?;
        #[cfg(target_os = "linux")]
        {
            use nix::fcntl::{FcntlArg, fcntl};
            // A large value takes fewer turns. Where it is refused, the pipes stay as they are.
            let _ = fcntl(&line.answers, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
            let _ = line
                .tasks
                .as_ref()
                .map(|tasks| fcntl(tasks, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES)));
        }
        Ok(line)
    }

    /// Whether messages can be taken back.
    pub(crate) fn can_take_back(&self) -> bool {
        self.unread.is_some()
    }

    /// Sends each write as one packet, or as parts of a stream.
    pub(crate) fn send_whole(&self, whole: bool) -> io::Result<()> {
        let packets = whole && self.can_take_back();
        let flags = if packets { PACKETS } else { OFlags::NONBLOCK };
        let tasks = self.tasks.as_ref().map(|tasks| fcntl_setfl(tasks, flags));
        Ok(tasks.unwrap_or(Ok(()))?)
    }

    /// Sends what there is room for.
    pub(crate) fn send(&self, bytes: &[u8]) -> usize {
        let Some(mut tasks) = self.tasks.as_ref() else {
            return 0;
        };
        loop {
            match tasks.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // There is no room, or the worker is gone, which is noticed elsewhere.
                sent => return sent.unwrap_or(0),
            }
        }
    }

    /// Takes back the messages that the worker has not read.
    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut packet = [0; PACKET_BYTES];
        if let Some(mut unread) = self.unread.as_ref() {
            while let Ok(size @ 1..) = unread.read(&mut packet) {
                packets.push(packet[..size].to_vec());
            }
        }
        packets
    }

    /// Sends no more: the worker ends by itself.
    pub(crate) fn close(&mut self) {
        self.tasks = None;
    }

    /// Waits for no more answers.
    pub(crate) fn silence(&mut self) {
        self.is_silent = true;
    }

    /// How long [`wait`](Self::wait) may wait where the end of a process goes unreported.
    pub(crate) fn look_every(&self, is_ending: bool) -> Option<Duration> {
        let every = Duration::from_millis(if is_ending { 5 } else { 100 });
        self.process.is_none().then_some(every)
    }

    /// Waits until there is something to do for a worker, for at most `limit`.
    pub(crate) fn wait(
        line: Option<&Self>,
        waker: &Waker,
        wants_room: bool,
        limit: Option<Duration>,
    ) -> Seen {
        let mut polled = Vec::with_capacity(4);
        polled.push(PollFd::new(&waker.reader, PollFlags::IN));
        if let Some(process) = line.and_then(|line| line.process.as_ref()) {
            polled.push(PollFd::new(process, PollFlags::IN));
        }
        let answers = line.filter(|line| !line.is_silent);
        let answers = answers.map(|line| &line.answers);
        polled.extend(answers.map(|answers| PollFd::new(answers, PollFlags::IN)));
        let tasks = line.and_then(|line| line.tasks.as_ref());
        let tasks = tasks.filter(|_| wants_room);
        polled.extend(tasks.map(|tasks| PollFd::new(tasks, PollFlags::OUT)));
        let outcome = poll(&mut polled, timespec(limit).as_ref());
        // A signal ends the wait, too. Where the system refuses to wait, everything is looked at.
        let is_refused = outcome.is_err_and(|error| error != Errno::INTR);
        if is_refused {
            thread::sleep(Duration::from_millis(1));
        }
        let is_fine = outcome.is_ok();
        let mut seen = polled
            .iter()
            .map(|end| is_refused || is_fine && !end.revents().is_empty());
        if seen.next() == Some(true) {
            waker.rest();
        }
        let is_watched = line.is_some_and(|line| line.process.is_some());
        Seen {
            end: if is_watched {
                seen.next() == Some(true)
            } else {
                line.is_some()
            },
            answers: answers.is_some() && seen.next() == Some(true),
            room: tasks.is_some() && seen.next() == Some(true),
        }
    }
}

/// Something that reports the end of a child that was not reaped.
#[cfg(target_os = "linux")]
fn watch(pid: u32) -> io::Result<Option<OwnedFd>> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(pid.cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(watch) => Ok(Some(watch)),
        Err(Errno::NOSYS | Errno::PERM) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn watch(_: u32) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

/// Ends a [`Line::wait`] from another thread.
#[derive(Debug)]
pub(crate) struct Waker {
    reader: PipeReader,
    writer: PipeWriter,
    is_awake: AtomicBool,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        let is_awake = AtomicBool::new(false);
        Ok(Self {
            reader,
            writer,
            is_awake,
        })
    }

    pub(crate) fn wake(&self) {
        if !self.is_awake.swap(true, Ordering::SeqCst) {
            // A full pipe wakes as well.
            let _ = (&self.writer).write(&[0]);
        }
    }

    fn rest(&self) {
        let _ = (&self.reader).read(&mut [0; 16]);
        self.is_awake.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_at_the_limit() {
        let (input, output) = io::pipe().expect("a pipe");
        let input = Input(input);
        let limit = Some(Duration::from_millis(5));
        let waited = input.wait(limit).map_err(|error| error.kind());
        assert_eq!(waited, Err(io::ErrorKind::TimedOut));
        drop(output);
        input.wait(limit).expect("the end is something to read");
    }

    #[test]
    fn the_end_of_the_other_side_is_seen_without_reading() {
        let (input, mut output) = io::pipe().expect("a pipe");
        let closing = Input(input).closing().expect("a second handle");
        output.write_all(b"unread").expect("there is room");
        drop(output);
        closing.wait();
    }
}
