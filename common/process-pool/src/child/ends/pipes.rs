//! The parent's ends on Unix.
//!
//! On Linux the pipe to the worker holds *packets*: one read takes one message and no part of the
//! next. So what lies in the pipe is exactly what the worker has not begun, and the parent, which
//! has the reading end open too, can take it back.

use super::super::link::Offer;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_setfl},
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

#[cfg(target_os = "linux")]
const PACKETS: OFlags = OFlags::NONBLOCK.union(OFlags::DIRECT);
#[cfg(not(target_os = "linux"))]
const PACKETS: OFlags = OFlags::NONBLOCK;

/// Both pipes of a worker; nothing here waits.
#[derive(Debug)]
pub(crate) struct Ends {
    answers: PipeReader,
    tasks: PipeWriter,
    unread: Option<File>,
}

impl Ends {
    pub(crate) fn new(offer: Offer) -> io::Result<Self> {
        let ends = Self {
            answers: offer.input,
            tasks: offer.output,
            unread: offer.unread,
        };
        fcntl_setfl(&ends.answers, OFlags::NONBLOCK)?;
        ends.send_whole(true)?;
        Ok(ends)
    }

    /// Whether messages can be taken back.
    pub(crate) fn can_take_back(&self) -> bool {
        self.unread.is_some()
    }

    /// Sends each write as one packet, or as parts of a stream.
    pub(crate) fn send_whole(&self, whole: bool) -> io::Result<()> {
        let packets = whole && self.can_take_back();
        let flags = if packets { PACKETS } else { OFlags::NONBLOCK };
        Ok(fcntl_setfl(&self.tasks, flags)?)
    }

    /// Sends what there is room for.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        unless_full(|| (&self.tasks).write(bytes))
    }

    /// Receives what is there; 0 at the end.
    pub(crate) fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        (&self.answers).read(into)
    }

    /// Takes back the messages that the worker has not read.
    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        if let Some(mut unread) = self.unread.as_ref() {
            let mut packet = [0; super::PACKET_BYTES];
            while let Ok(size @ 1..) = unread.read(&mut packet) {
                packets.push(packet[..size].to_vec());
            }
        }
        packets
    }
}

/// A write into a full pipe writes nothing.
fn unless_full(mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => return written,
        }
    }
}

/// Notices the end of a process, where the system can say so.
#[derive(Debug)]
pub(crate) struct Watch(Option<OwnedFd>);

impl Watch {
    /// Watches a child that was not reaped.
    #[cfg(target_os = "linux")]
    pub(crate) fn new(pid: u32) -> io::Result<Self> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        let pid = Pid::from_raw(pid.cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(watch) => Ok(Self(Some(watch))),
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Watches a child that was not reaped.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new(_: u32) -> io::Result<Self> {
        Ok(Self(None))
    }

    /// Whether [`wait`] returns at the end of the process.
    pub(crate) fn wakes(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the process is known to have ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.as_ref().is_some_and(|watch| {
            let mut watch = [PollFd::new(watch, PollFlags::IN)];
            poll(&mut watch, Some(&Timespec::default())) == Ok(1)
        })
    }
}

/// Ends a [`wait`] from another thread.
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
}

/// A worker to wait for.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) ends: Option<Arc<Ends>>,
    pub(crate) watch: Arc<Watch>,
    /// Whether a message waits for room.
    pub(crate) wants_room: bool,
}

/// What there is to do for a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: bool,
    pub(crate) room: bool,
    pub(crate) end: bool,
}

/// Waits until there is something to do for a worker, for at most `limit`.
pub(crate) fn wait(waker: &Waker, all: &[Watched], limit: Option<Duration>) -> Vec<Seen> {
    let mut polled = vec![PollFd::new(&waker.reader, PollFlags::IN)];
    for worker in all {
        if let Some(ends) = &worker.ends {
            polled.push(PollFd::new(&ends.answers, PollFlags::IN));
            if worker.wants_room {
                polled.push(PollFd::new(&ends.tasks, PollFlags::OUT));
            }
        }
        if let Some(watch) = &worker.watch.0 {
            polled.push(PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN));
        }
    }
    let limit = limit.map(|limit| Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    let polled_well = poll(&mut polled, limit.as_ref());
    // A signal ends the wait, too. Where the system refuses to wait, everything is looked at.
    let is_refused = polled_well.is_err_and(|error| error != rustix::io::Errno::INTR);
    if is_refused {
        thread::sleep(Duration::from_millis(1));
    }
    let is_fine = polled_well.is_ok();
    let seen = |end: &PollFd<'_>| is_refused || is_fine && !end.revents().is_empty();
    let mut results = polled.iter().map(seen);
    if results.next() == Some(true) {
        let _ = (&waker.reader).read(&mut [0; 16]);
        waker.is_awake.store(false, Ordering::SeqCst);
    }
    let mut next = || results.next().unwrap_or(false);
    all.iter()
        .map(|worker| {
            let has_ends = worker.ends.is_some();
            Seen {
                answers: has_ends && next(),
                room: has_ends && worker.wants_room && next(),
                end: worker.watch.wakes() && next(),
            }
        })
        .collect()
}
