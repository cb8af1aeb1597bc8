//! Where there is no Unix: no child starts, so that there is nothing to talk to.

use super::Next;
use crate::{
    Limit,
    wire::{Incoming, Link},
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter},
    process::Command,
    time::{Duration, Instant},
};

pub(crate) const PACKET_BYTES: usize = 0;

pub(super) fn kill_group(_: u32) {}

pub(super) fn has_ended_with_its_helpers(_: u32) -> bool {
    false
}

pub(crate) fn is_shortage(_: &io::Error) -> bool {
    false
}

/// A worker's ends, and what wakes a supervisor: there are none.
#[derive(Debug)]
pub(crate) enum Absent {}
pub(crate) type Answers = Absent;
pub(crate) type Tasks = Absent;
pub(crate) type Waker = Absent;

fn needs_unix() -> io::Error {
    let text = "process pools and servers need Unix: Linux, macOS, or WSL on Windows";
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// Functions that all do the same, whatever they are for.
macro_rules! all {
    ($does:expr => $($name:ident $parameters:tt -> $result:ty;)*) => {
        $(pub(crate) fn $name $parameters -> $result { $does })*
    };
}

all! { Err(needs_unix()) =>
    connect(_: &mut Command) -> io::Result<(PipeReader, PipeWriter)>;
    inherited() -> io::Result<(PipeReader, PipeWriter)>;
    read(_: &PipeReader, _: &mut Vec<u8>) -> io::Result<usize>;
    wait_for(_: &PipeReader, _: Duration) -> io::Result<()>;
    watch_parent(_: &PipeReader) -> io::Result<()>;
    shared_memory(_: u64) -> io::Result<(File, String)>;
    split(_: Link, _: u32, _: &[Limit]) -> io::Result<(Answers, Tasks)>;
}

impl Absent {
    all! { Err(needs_unix()) => new() -> io::Result<Self>; }

    all! { unreachable!("there is none") =>
        wait(&self, _: &Next, _: &Waker, _: &mut Incoming) -> bool;
        send(&self, _: &[u8], _: usize) -> io::Result<usize>;
        unread(&self) -> usize;
        take_back(&self) -> Vec<u64>;
        wake(&self) -> ();
        sleep(&self, _: Instant) -> ();
    }
}
