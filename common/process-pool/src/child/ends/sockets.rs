//! The parent's ends where there is no Unix: sockets, looked at once a millisecond.
//!
//! Read, never run. A worker has one task at a time here.

use super::super::link::Offer;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Both directions of a worker's connection; nothing here waits.
#[derive(Debug)]
pub(crate) struct Ends(TcpStream);

impl Ends {
    pub(crate) fn new(offer: Offer) -> io::Result<Self> {
        let stream = offer.stream()?;
        stream.set_nonblocking(true)?;
        Ok(Self(stream))
    }

    pub(crate) fn can_take_back(&self) -> bool {
        false
    }

    pub(crate) fn send_whole(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match (&self.0).write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    pub(crate) fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(into)
    }

    pub(crate) fn take_back(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
}

#[derive(Debug)]
pub(crate) struct Watch;

impl Watch {
    pub(crate) fn new(_: u32) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn wakes(&self) -> bool {
        false
    }

    pub(crate) fn has_ended(&self) -> bool {
        false
    }
}

/// Ends a [`wait`] from another thread.
#[derive(Debug, Default)]
pub(crate) struct Waker {
    is_awake: Mutex<bool>,
    woken: Condvar,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub(crate) fn wake(&self) {
        *self.is_awake.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }
}

#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) ends: Option<Arc<Ends>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) wants_room: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: bool,
    pub(crate) room: bool,
    pub(crate) end: bool,
}

/// Waits until there is something to do for a worker, for at most `limit`.
pub(crate) fn wait(waker: &Waker, all: &[Watched], limit: Option<Duration>) -> Vec<Seen> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    loop {
        let seen: Vec<Seen> = all.iter().map(look).collect();
        let awake = waker.is_awake.lock();
        let mut awake = awake.unwrap_or_else(PoisonError::into_inner);
        let is_over = deadline.is_some_and(|deadline| deadline <= Instant::now());
        if std::mem::take(&mut *awake) || is_over || seen.iter().any(|seen| seen.answers) {
            return seen;
        }
        drop(waker.woken.wait_timeout(awake, LOOK_EVERY));
    }
}

fn look(worker: &Watched) -> Seen {
    let answers = worker.ends.as_ref().is_some_and(|ends| {
        let peeked = ends.0.peek(&mut [0]);
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    });
    Seen {
        answers,
        room: worker.wants_room,
        end: false,
    }
}
