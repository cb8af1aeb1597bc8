//! Where there is no Unix: no child starts, so that there is nothing to talk to.

use super::{Incoming, Next, Seen};
use crate::Limit;
use std::{
    io,
    process::Command,
    time::{Duration, Instant},
};

pub(crate) const PACKET_BYTES: usize = 0;

fn refused<T>() -> io::Result<T> {
    let text = "process pools and servers need Unix: Linux, macOS, or WSL on Windows";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

pub(super) fn kill_group(_: u32) {}

pub(super) fn has_ended_with_its_helpers(_: u32) -> bool {
    true
}

pub(crate) fn is_shortage(_: &io::Error) -> bool {
    false
}

pub(crate) fn limit_resource(_: u32, _: Limit) -> io::Result<()> {
    refused()
}

pub(super) fn connect(_: &mut Command) -> io::Result<(Input, Output)> {
    refused()
}

pub(super) fn inherited() -> io::Result<(Input, Output)> {
    refused()
}

/// An end that there is not, and methods that nothing can call.
macro_rules! absent {
    ($end:ident: $($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        #[derive(Clone, Debug)]
        pub(crate) enum $end {}

        impl $end {
            $(pub(crate) fn $name(&self, $(_: $argument),*) -> $result {
                match *self {}
            })*
        }
    };
}

pub(super) type Output = io::Sink;

absent! { Input:
    read(&mut Vec<u8>) -> io::Result<usize>;
    wait(Option<Duration>) -> io::Result<()>;
    watch_parent() -> io::Result<()>;
}

absent! { Answers:
    wait(&Next, &Waker, &mut Incoming) -> Seen;
}

absent! { Tasks:
    send(&[u8]) -> io::Result<usize>;
    unread() -> usize;
    can_come_back() -> bool;
    take_back() -> Vec<Vec<u8>>;
}

pub(crate) fn split(_: Input, _: Output, _: u32) -> io::Result<(Answers, Tasks)> {
    refused()
}

absent! { Waker:
    wake() -> ();
    wait(Instant) -> ();
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        refused()
    }
}
