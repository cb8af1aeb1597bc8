//! The link on Unix: two pipes, which carry short messages faster than a pair of sockets does.
//!
//! On Linux a small message to a worker is a *packet*: one read takes it and no part of the next. So
//! what lies in the pipe is what the worker has not begun, and the parent, which has the reading end
//! open, too, can take it back.

use crate::child::Seen;
use nix::{
    sys::resource::{Resource, getrlimit},
    unistd,
};
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, OFlags, fcntl_setfl, fstat},
    io::{Errno, fcntl_dupfd_cloexec, ioctl_fionread, retry_on_intr},
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A message up to this size arrives whole or not at all.
pub(crate) const PACKET_BYTES: usize = 4096;

/// A user may have pipes of 64 MiB in all before new ones get smaller.
#[cfg(target_os = "linux")]
const PIPE_BYTES: i32 = 256 << 10;

/// Where the end of a process is not reported, it is looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What comes from the other end.
#[derive(Debug)]
pub(crate) struct Input(PipeReader);

/// What goes to the other end.
pub(super) type Output = PipeWriter;

impl Input {
    /// Reads once, behind the bytes that are there, as much as these have room for.
    pub(super) fn read(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        Ok(retry_on_intr(|| {
            rustix::io::read(&self.0, spare_capacity(bytes))
        })?)
    }

    /// Waits until there is something to read, for at most `limit`; without one, reading waits.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<()> {
        let is_there = |limit| poll_until(&mut [self.readable()], Some(Instant::now() + limit));
        match limit {
            Some(limit) if !is_there(limit) => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    fn readable(&self) -> PollFd<'_> {
        PollFd::new(&self.0, PollFlags::IN)
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(out_of_the_way(self.0.as_fd())?.into()))
    }

    /// Waits until the other end has closed, and reads nothing.
    pub(super) fn wait_for_end(&self) {
        // No event is asked for: the end is reported without.
        poll_until(&mut [PollFd::new(&self.0, PollFlags::empty())], None);
    }
}

/// Waits until one of `ends` is ready, for at most until `deadline`; whether one is.
fn poll_until(ends: &mut [PollFd<'_>], deadline: Option<Instant>) -> bool {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(ends, left.as_ref()) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            // There is too little of something for the moment.
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// The parent's side of a connection that its child has yet to take.
pub(crate) struct Offer(PipeReader, PipeWriter, Option<File>);

impl Offer {
    pub(in super::super) fn to(command: &mut Command) -> io::Result<Self> {
        let (theirs, output) = io::pipe()?;
        let unread = open_again(&theirs);
        command.stdin(theirs);
        let (input, theirs) = io::pipe()?;
        command.stdout(theirs);
        Ok(Self(input, output, unread))
    }

    pub(super) fn wires(self) -> io::Result<(Input, Output)> {
        Ok((Input(self.0), self.1))
    }

    /// Makes it fit for a worker, whose process is watched from now on.
    pub(crate) fn line(self, pid: u32) -> io::Result<Line> {
        fcntl_setfl(&self.1, OFlags::NONBLOCK.union(PACKETS))?;
        #[cfg(target_os = "linux")]
        for end in [self.0.as_fd(), self.1.as_fd()] {
            use nix::fcntl::{FcntlArg, fcntl};
            // A large value takes fewer turns. Where it is refused, the pipes stay as they are.
            let _ = fcntl(end, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        }
        Ok(Line {
            answers: Input(self.0),
            tasks: Some(self.1),
            unread: self.2,
            watch: Watch::over(pid)?,
        })
    }
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
    if FileType::from_raw_mode(fstat(end)?.st_mode) != FileType::Fifo {
        return Err(io::ErrorKind::NotConnected.into());
    }
    out_of_the_way(end)
}

/// A copy with a high number: a task that closes descriptors it does not own, and opens files
/// then, gets none of these.
fn out_of_the_way(end: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let lowest = i32::try_from(limit.min(1024)).map_or(0, |limit| limit - 16);
    let high = fcntl_dupfd_cloexec(end, lowest.max(3));
    Ok(high.or_else(|_| fcntl_dupfd_cloexec(end, 3))?)
}

#[cfg(target_os = "linux")]
const PACKETS: OFlags = OFlags::DIRECT;
#[cfg(not(target_os = "linux"))]
const PACKETS: OFlags = OFlags::empty();

/// Opens a pipe's end as a file of its own, whose reads do not wait whatever the child's do.
fn open_again(end: &PipeReader) -> Option<File> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", end.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, rustix::fs::Mode::empty());
    opened.ok().filter(|_| !PACKETS.is_empty()).map(File::from)
}

/// A worker's pipes and its process, as its parent has them.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) answers: Input,
    /// Closed, the worker ends by itself.
    tasks: Option<PipeWriter>,
    /// The worker's end of them, where there is a way to it.
    unread: Option<File>,
    pub(crate) watch: Watch,
}

impl Line {
    /// Waits until there is an answer, or room for more of a task, where either is `expected`, or
    /// for whatever else ends the wait.
    pub(crate) fn wait(
        &self,
        (answer, room): (bool, bool),
        waker: Option<&Waker>,
        deadline: Option<Instant>,
    ) -> Seen {
        let answer = answer.then(|| (Seen::Answer, self.answers.readable()));
        let room = self.tasks.as_ref().filter(|_| room);
        let room = room.map(|tasks| (Seen::Room, PollFd::new(tasks, PollFlags::OUT)));
        let waker = waker.map(Waker::readable);
        self.watch.wait([answer, room, waker], deadline)
    }

    /// Whether there is an answer.
    pub(crate) fn has_answer(&self) -> bool {
        poll_until(&mut [self.answers.readable()], Some(Instant::now()))
    }

    /// Sends as much as there is room for; an error if the worker takes no more.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut tasks = self.tasks.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let is_large = bytes.len() > PACKET_BYTES;
        if is_large {
            fcntl_setfl(tasks, OFlags::NONBLOCK)?;
        }
        let sent = match tasks.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            sent => sent,
        };
        if is_large {
            fcntl_setfl(tasks, OFlags::NONBLOCK.union(PACKETS))?;
        }
        sent
    }

    /// How much of what was sent the worker has not read.
    pub(crate) fn unread(&self) -> usize {
        let unread = self.tasks.as_ref().map(ioctl_fionread);
        unread.map_or(0, |unread| unread.map_or(0, |size| size as usize))
    }

    pub(crate) fn can_take_back(&self) -> bool {
        self.unread.is_some()
    }

    /// Takes back the packets that the worker has not read. It may read others meanwhile.
    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut packet = [0; PACKET_BYTES];
        while let Some(mut unread) = self.unread.as_ref()
            && let Ok(size @ 1..) = unread.read(&mut packet)
        {
            packets.push(packet[..size].to_vec());
        }
        packets
    }

    /// Sends no more: the worker ends by itself.
    pub(crate) fn close(&mut self) {
        self.tasks = None;
    }
}

/// Where the system can report the end of a child that was not reaped, something that does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Option<Arc<OwnedFd>>);

impl Watch {
    #[cfg(target_os = "linux")]
    fn over(pid: u32) -> io::Result<Self> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        let pid = Pid::from_raw(pid.cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(watch) => Ok(Self(Some(Arc::new(watch)))),
            Err(Errno::NOSYS | Errno::PERM) => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn over(_: u32) -> io::Result<Self> {
        Ok(Self(None))
    }

    /// Waits for one of `ends`, or for the end of the process.
    fn wait<const N: usize>(
        &self,
        ends: [Option<(Seen, PollFd<'_>)>; N],
        deadline: Option<Instant>,
    ) -> Seen {
        // Who cannot be told has to look.
        let look = self.0.is_none().then(|| Instant::now() + LOOK_EVERY);
        let until = look.into_iter().chain(deadline).min();
        let process = self.0.as_ref();
        let process = process.map(|process| (Seen::End, PollFd::new(process, PollFlags::IN)));
        let all = process.into_iter().chain(ends.into_iter().flatten());
        let (seen, mut ends): (Vec<_>, Vec<_>) = all.unzip();
        let is_ready = poll_until(&mut ends, until);
        let ready = ends.iter().position(|end| !end.revents().is_empty());
        match ready.filter(|_| is_ready) {
            Some(ready) => seen[ready],
            None if deadline.is_some_and(|deadline| deadline <= Instant::now()) => Seen::Late,
            None => Seen::End,
        }
    }
}

/// Ends a [`wait`](Self::wait) from another thread.
#[derive(Debug)]
pub(crate) struct Waker {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        Ok(Self { reader, writer })
    }

    pub(crate) fn wake(&self) {
        // A full pipe wakes as well.
        let _ = (&self.writer).write(&[0]);
    }

    /// Waits to be woken, or for the end of a worker.
    pub(crate) fn wait(&self, worker: &Watch, deadline: Option<Instant>) -> Seen {
        let seen = worker.wait([Some(self.readable())], deadline);
        self.rest();
        seen
    }

    fn readable(&self) -> (Seen, PollFd<'_>) {
        (Seen::Woken, PollFd::new(&self.reader, PollFlags::IN))
    }

    /// Until it is woken again, it does not end a wait.
    pub(crate) fn rest(&self) {
        let _ = (&self.reader).read(&mut [0; 64]);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{KEPT_BYTES, Link, LinkReceiver, LinkSender, READ_BYTES},
        *,
    };

    fn pair() -> (Input, Output) {
        let (input, output) = io::pipe().expect("a pipe");
        (Input(input), output)
    }

    #[test]
    fn waiting_ends_at_the_limit() {
        let (input, output) = pair();
        let limit = Some(Duration::from_millis(5));
        let waited = input.wait(limit).map_err(|error| error.kind());
        assert_eq!(waited, Err(io::ErrorKind::TimedOut));
        drop(output);
        input.wait(limit).expect("the end is something to read");
    }

    #[test]
    fn the_end_of_the_other_side_is_seen_without_reading() {
        let (input, mut output) = pair();
        let closing = input.try_clone().expect("a second handle");
        output.write_all(b"unread").expect("there is room");
        drop(output);
        closing.wait_for_end();
    }

    #[test]
    fn a_large_message_leaves_no_large_buffer() {
        let (input, output) = pair();
        let mut sender = LinkSender(output);
        let (_, mut link): (_, LinkReceiver) = Link::new((input, pair().1)).split();
        let sizes = [KEPT_BYTES * 2, 3, READ_BYTES * 2, 0];
        let sending = thread::spawn(move || {
            for size in sizes {
                sender.send(&vec![7_u8; size]).expect("it is read");
            }
        });
        for size in sizes {
            let received: Option<Vec<u8>> = link.receive().expect("it comes");
            assert!(received == Some(vec![7; size]), "{size}");
        }
        sending.join().expect("no panic");
        assert!(link.incoming.bytes.capacity() <= KEPT_BYTES);
        assert!(link.receive::<()>().is_ok_and(|end| end.is_none()));
    }
}
