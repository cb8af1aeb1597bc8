//! Children on Unix: process groups, and two pipes, which carry short messages faster than a pair
//! of sockets does.
//!
//! On Linux a small message to a worker is a *packet*: one read takes it and no part of the next. So
//! what lies in the pipe is what the worker has not begun, and the parent, which has the reading end
//! open, too, can take it back.

use super::Next;
use crate::{
    Limit,
    wire::{self, Incoming, Link},
};
use nix::{
    sys::resource::{Resource, getrlimit},
    unistd,
};
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, Mode, OFlags, fcntl_setfl, fstat, open},
    io::{Errno, fcntl_dupfd_cloexec, ioctl_fionread, retry_on_intr},
    process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, getpid, kill_process_group, waitid},
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::process::parent_id,
    },
    process::{self, Command},
    thread,
    time::{Duration, Instant},
};

/// A message up to this size is a packet: it arrives whole or not at all.
pub(crate) const PACKET_BYTES: usize = if PACKETS.is_empty() { 0 } else { 4096 };

#[cfg(target_os = "linux")]
const PACKETS: OFlags = OFlags::DIRECT;
#[cfg(not(target_os = "linux"))]
const PACKETS: OFlags = OFlags::empty();

/// Where the end of a process is not reported, it is looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Limits what a process that has just started may use.
#[cfg(target_os = "linux")]
fn limit_resource(id: u32, limit: Limit) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
    let (resource, most) = match limit {
        Limit::MemoryBytes(most) => (Resource::As, most),
        Limit::Files(most) => (Resource::Nofile, most),
        Limit::CpuSeconds(most) => (Resource::Cpu, most),
    };
    // A stricter limit of this process stays: only the superuser could raise it.
    let most = getrlimit(resource)
        .maximum
        .map_or(most, |own| own.min(most));
    let (current, maximum) = (Some(most), Some(most));
    let limit = Rlimit { current, maximum };
    Ok(prlimit(pid(id), resource, limit).map(drop)?)
}

#[cfg(not(target_os = "linux"))]
fn limit_resource(_: u32, _: Limit) -> io::Result<()> {
    Ok(())
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(id.cast_signed())
}

/// Kills a process and what it started, as far as that is in its group.
pub(super) fn kill_group(leader: u32) {
    // Mostly all of them have ended.
    let _ = pid(leader).map(|leader| kill_process_group(leader, Signal::KILL));
}

/// Looks without reaping whether a child has ended, and if so kills its process group: once it is
/// reaped, the group's number may be somebody else's.
pub(super) fn has_ended_with_its_helpers(id: u32) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match pid(id).map(|id| waitid(WaitId::Pid(id), look)) {
        Some(Ok(None)) => return false,
        // Mostly nothing is left.
        Some(Ok(Some(_))) => kill_group(id),
        // Not ours to look at any more: the group is not ours to kill either.
        _ => {}
    }
    true
}

/// Whether there was too little of something, of which there may be more soon.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    let shortages = [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| shortages.contains(&error))
}

/// Reads once, behind the bytes that are there, as much as these have room for.
pub(crate) fn read(input: &PipeReader, bytes: &mut Vec<u8>) -> io::Result<usize> {
    Ok(retry_on_intr(|| {
        rustix::io::read(input, spare_capacity(bytes))
    })?)
}

/// Waits until there is something to read, for at most `limit`.
pub(crate) fn wait_for(input: &PipeReader, limit: Duration) -> io::Result<()> {
    let is_there = poll_until(&mut [readable(input)], Some(Instant::now() + limit));
    let late = io::ErrorKind::TimedOut.into();
    is_there.then_some(()).ok_or(late)
}

/// Has a thread end this process with its parent, so that it does so in mid-task, too.
#[expect(clippy::exit, reason = "a child ends with its parent")]
pub(crate) fn watch_parent(input: &PipeReader) -> io::Result<()> {
    let input = out_of_the_way(input.as_fd())?;
    let parent = parent_id();
    let watching = move || {
        // No event is asked for: the end is reported without.
        poll_until(&mut [PollFd::new(&input, PollFlags::empty())], None);
        // The parent may have closed the link to let an idle worker end by itself.
        while parent_id() == parent {
            thread::sleep(Duration::from_millis(5));
        }
        // What a task started ends, too.
        if getpgrp() == getpid() {
            kill_group(process::id());
        }
        process::exit(0)
    };
    let watcher = thread::Builder::new().name("watcher".into());
    watcher.spawn(watching).map(drop)
}

fn readable(end: &impl AsFd) -> PollFd<'_> {
    PollFd::new(end, PollFlags::IN)
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

/// Gives a command that is about to run the other ends of two pipes.
pub(super) fn connect(command: &mut Command) -> io::Result<(PipeReader, PipeWriter)> {
    let ((theirs, output), (input, answers)) = (io::pipe()?, io::pipe()?);
    command.stdin(theirs).stdout(answers);
    Ok((input, output))
}

/// Takes the pipes from this process's standard input and output.
pub(super) fn inherited() -> io::Result<(PipeReader, PipeWriter)> {
    // The copies close on exec, and descriptors 0 and 1 become something else: neither what this
    // process starts nor what it reads and prints can touch the link.
    let input = pipe_at(io::stdin().as_fd())?;
    let output = pipe_at(io::stdout().as_fd())?;
    unistd::dup2_stdin(File::open("/dev/null")?)?;
    unistd::dup2_stdout(io::stderr())?;
    Ok((input.into(), output.into()))
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

/// A file of zeros in memory, which keeps its size, and the path by which a child finds it.
#[cfg(target_os = "linux")]
pub(super) fn shared_memory(size: u64) -> io::Result<(File, String)> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    // A file past this limit would end this process.
    if getrlimit(Resource::RLIMIT_FSIZE)?.0 < size {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(memfd_create("answers", flags)?);
    file.set_len(size)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW)?;
    let path = format!("/proc/{}/fd/{}", process::id(), file.as_raw_fd());
    Ok((file, path))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn shared_memory(_: u64) -> io::Result<(File, String)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What comes from a worker, and its process.
#[derive(Debug)]
pub(crate) struct Answers(PipeReader, Option<OwnedFd>);

/// What goes to a worker. Once this is dropped, the worker ends by itself.
#[derive(Debug)]
pub(crate) struct Tasks {
    pipe: PipeWriter,
    /// The worker's end of it, where it takes packets.
    unread: Option<File>,
}

/// Makes a connection fit for a worker, whose process is limited and watched from now on.
pub(crate) fn split(link: Link, id: u32, limits: &[Limit]) -> io::Result<(Answers, Tasks)> {
    let (answers, pipe) = (link.input, link.output);
    limits
        .iter()
        .try_for_each(|limit| limit_resource(id, *limit))?;
    fcntl_setfl(&pipe, OFlags::NONBLOCK.union(PACKETS))?;
    let mut unread = None;
    if !PACKETS.is_empty() {
        // A file of its own, whose reads do not wait whatever the child's do.
        let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        unread = Some(open(path, flags, Mode::empty())?.into());
    }
    Ok((Answers(answers, watch(id)?), Tasks { pipe, unread }))
}

impl Answers {
    /// Waits for what a worker says or does next, and reads what it has said; whether it may have
    /// ended.
    pub(crate) fn wait(&self, next: &Next, waker: &Waker, incoming: &mut Incoming) -> bool {
        let (Self(input, process), (deadline, sends)) = (self, next);
        // Who cannot be told of the end of a process has to look.
        let look = process.is_none().then(|| Instant::now() + LOOK_EVERY);
        let end = process.as_ref().map(readable);
        let (tasks, hears) = (sends.as_ref(), !incoming.has_closed);
        let room = tasks.map(|tasks| PollFd::new(&tasks.pipe, PollFlags::OUT));
        let answer = hears.then(|| readable(input));
        let (place, mut ends) = (1 + usize::from(end.is_some()), vec![readable(&waker.0)]);
        ends.extend(end.into_iter().chain(answer).chain(room));
        poll_until(&mut ends, look.into_iter().chain(*deadline).min());
        let is_ready = |place: usize| !ends[place].revents().is_empty();
        if is_ready(0) {
            waker.rest();
        }
        let may_have_ended = look.is_some() || is_ready(1);
        let mut left = u64::from(hears && is_ready(place));
        if may_have_ended {
            // All that it has said. Another process may have its pipe, and say more.
            left = left.max(ioctl_fionread(input).unwrap_or(0));
        }
        while left > 0 && !incoming.has_closed {
            left = left.saturating_sub(incoming.fill(input).unwrap_or(0) as u64);
        }
        may_have_ended
    }
}

impl Tasks {
    /// Sends as much of a message as there is room for behind what was sent of it; an error if the worker
    /// takes no more. The rest of a large one is no packet: what a read of it had no room for would be lost.
    pub(crate) fn send(&self, message: &[u8], sent: usize) -> io::Result<usize> {
        let mut pipe = &self.pipe;
        let is_large = message.len() > PACKET_BYTES;
        if is_large {
            fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        let sent = match pipe.write(&message[sent..]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            sent => sent,
        };
        if is_large {
            fcntl_setfl(pipe, OFlags::NONBLOCK.union(PACKETS))?;
        }
        sent
    }

    /// How much of what was sent the worker has not read.
    pub(crate) fn unread(&self) -> usize {
        ioctl_fionread(&self.pipe).map_or(0, |size| size as usize)
    }

    /// Takes back the tasks whose packets the worker has not read. It may read others meanwhile.
    pub(crate) fn take_back(&self) -> Vec<u64> {
        let (mut tasks, mut packet) = (Vec::new(), [0; PACKET_BYTES]);
        while let Some(mut unread) = self.unread.as_ref()
            && let Ok(1..) = unread.read(&mut packet)
        {
            tasks.extend(wire::head(&packet).map(|(_, task, _)| task));
        }
        tasks
    }
}

/// Where the system can report the end of a child that was not reaped, something that does.
#[cfg(target_os = "linux")]
fn watch(id: u32) -> io::Result<Option<OwnedFd>> {
    use rustix::process::{PidfdFlags, pidfd_open};
    let pid = pid(id).ok_or(io::ErrorKind::InvalidInput)?;
    match pidfd_open(pid, PidfdFlags::empty()) {
        Err(Errno::NOSYS | Errno::PERM) => Ok(None),
        watch => Ok(Some(watch?)),
    }
}

#[cfg(not(target_os = "linux"))]
fn watch(_: u32) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

/// Ends a wait from another thread.
#[derive(Debug)]
pub(crate) struct Waker(PipeReader, PipeWriter);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        fcntl_setfl(&reader, OFlags::NONBLOCK)?;
        fcntl_setfl(&writer, OFlags::NONBLOCK)?;
        Ok(Self(reader, writer))
    }

    pub(crate) fn wake(&self) {
        // A full pipe wakes as well.
        let _ = (&self.1).write(&[0]);
    }

    /// Waits to be woken, for at most until `deadline`.
    pub(crate) fn sleep(&self, deadline: Instant) {
        poll_until(&mut [readable(&self.0)], Some(deadline));
        self.rest();
    }

    /// Until it is woken again, it does not end a wait.
    pub(crate) fn rest(&self) {
        let _ = (&self.0).read(&mut [0; 64]);
    }
}
