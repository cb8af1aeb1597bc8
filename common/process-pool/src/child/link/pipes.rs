//! The link on Unix: two pipes, which carry short messages faster than a pair of sockets does.

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        resource::{Resource, getrlimit},
        stat,
    },
    unistd,
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Command,
    time::{Duration, Instant},
};

/// What comes from the other end.
#[derive(Debug)]
pub(super) struct Input {
    pipe: PipeReader,
    limit: Option<Duration>,
}

/// What goes to the other end.
#[derive(Debug)]
pub(super) struct Output {
    pipe: PipeWriter,
    limit: Option<Duration>,
}

impl Input {
    pub(super) fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.limit = limit;
        Ok(())
    }

    pub(super) fn closing(&self) -> io::Result<Closing> {
        out_of_the_way(self.pipe.as_fd()).map(|end| Closing(end.into()))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(limit) = self.limit {
            wait(self.pipe.as_fd(), PollFlags::POLLIN, Some(limit))?;
        }
        self.pipe.read(buffer)
    }
}

impl Output {
    pub(super) fn set_timeout(&mut self, limit: Option<Duration>) -> io::Result<()> {
        if limit.is_some() && self.limit.is_none() {
            // A write that does not fit would block whatever was waited for before.
            fcntl(&self.pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        self.limit = limit;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(self.pipe.as_fd(), PollFlags::POLLOUT, self.limit)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until an end of a pipe is ready, or the other end is gone, for at most `limit`.
fn wait(end: BorrowedFd<'_>, event: PollFlags, limit: Option<Duration>) -> io::Result<()> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match poll(&mut [PollFd::new(end, event)], in_milliseconds(left)) {
            Ok(0) if left == Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
            // Its longest wait may be shorter than the limit.
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Rounded up: less than a millisecond left is not nothing.
fn in_milliseconds(left: Option<Duration>) -> PollTimeout {
    let Some(left) = left else {
        return PollTimeout::NONE;
    };
    let left = left.as_nanos().div_ceil(1_000_000);
    i32::try_from(left).map_or(PollTimeout::MAX, |left| {
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    })
}

/// Waits for the other end of a link to close; made by
/// [`LinkReceiver::closing`](super::LinkReceiver::closing).
#[derive(Debug)]
pub struct Closing(PipeReader);

impl Closing {
    /// Blocks until the other end has closed.
    pub fn wait(&self) {
        // No event is asked for: the end is told without.
        let mut ends = [PollFd::new(self.0.as_fd(), PollFlags::empty())];
        while let Ok(0) | Err(Errno::EINTR) = poll(&mut ends, PollTimeout::NONE) {}
    }
}

/// The parent's side of a connection that its child has yet to take.
pub(crate) struct Offer {
    pub(in super::super) input: PipeReader,
    pub(in super::super) output: PipeWriter,
    /// The child's end of `output`, opened once more.
    pub(in super::super) unread: Option<File>,
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
        Ok(new(self.input, self.output))
    }
}

/// Opens a pipe's end as a file of its own, whose reads do not wait whatever the child's do.
#[cfg(target_os = "linux")]
fn open_again(end: &PipeReader) -> Option<File> {
    use std::os::{fd::AsRawFd, unix::fs::OpenOptionsExt};
    std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(format!("/proc/self/fd/{}", end.as_raw_fd()))
        .ok()
}

#[cfg(not(target_os = "linux"))]
fn open_again(_: &PipeReader) -> Option<File> {
    None
}

fn new(input: PipeReader, output: PipeWriter) -> (Input, Output) {
    let limit = None;
    (
        Input { pipe: input, limit },
        Output {
            pipe: output,
            limit,
        },
    )
}

/// Takes the pipes from this process's standard input and output.
pub(super) fn inherited() -> io::Result<(Input, Output)> {
    // The copies close on exec, and descriptors 0 and 1 become something else: neither what this
    // process starts nor what it reads and prints can touch the link.
    let input = pipe_at(io::stdin().as_fd())?;
    let output = pipe_at(io::stdout().as_fd())?;
    unistd::dup2_stdin(File::open("/dev/null")?)?;
    unistd::dup2_stdout(io::stderr())?;
    Ok(new(input.into(), output.into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Option<Duration> = Some(Duration::from_millis(5));

    #[test]
    fn waiting_ends_at_the_limit_and_what_came_before_it_is_whole() {
        let (input, output) = io::pipe().expect("a pipe");
        let (mut input, mut output) = new(input, output);
        input.set_timeout(LIMIT).expect("any limit will do");
        output.set_timeout(LIMIT).expect("any limit will do");
        let mut buffer = [0; 4];
        let nothing = input.read(&mut buffer).map_err(|error| error.kind());
        assert_eq!(nothing, Err(io::ErrorKind::TimedOut));

        let mut sent = 0_usize;
        let full = loop {
            match output.write(&[7; 4096]) {
                Ok(written) => sent += written,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(full, io::ErrorKind::TimedOut);
        drop(output);
        let mut received = Vec::new();
        input.read_to_end(&mut received).expect("all of it");
        assert_eq!(received, vec![7; sent]);
    }

    #[test]
    fn the_end_of_the_other_side_is_seen_without_reading() {
        let (input, output) = io::pipe().expect("a pipe");
        let (input, mut output) = new(input, output);
        let closing = input.closing().expect("a second handle");
        output.write_all(b"unread").expect("there is room");
        drop(output);
        closing.wait();
    }

    #[test]
    fn parts_of_a_millisecond_are_not_lost() {
        for (left, expected) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)] {
            let left = in_milliseconds(Some(Duration::from_nanos(left)));
            assert_eq!(left, PollTimeout::from(expected as u16), "{expected}");
        }
        assert_eq!(in_milliseconds(Some(Duration::MAX)), PollTimeout::MAX);
    }
}
