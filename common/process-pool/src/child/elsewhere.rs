//! Where there is no Unix: no child starts, so that there is nothing to talk to.

use super::Next;
use crate::{
    Limit,
    wire::{Incoming, Link},
};
use std::{
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

/// Functions that refuse to do what they are for, and methods that nothing can call.
macro_rules! absent {
    ($($name:ident(&self $(, $argument:ty)*) -> $result:ty;)*) => {
        $(pub(crate) fn $name(&self, $(_: $argument),*) -> $result {
            match *self {}
        })*
    };
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(pub(crate) fn $name($(_: $argument),*) -> io::Result<$result> {
            let text = "process pools and servers need Unix: Linux, macOS, or WSL on Windows";
            Err(io::Error::new(io::ErrorKind::Unsupported, text))
        })*
    };
}

absent! {
    connect(&mut Command) -> (PipeReader, PipeWriter);
    inherited() -> (PipeReader, PipeWriter);
    read(&PipeReader, &mut Vec<u8>) -> usize;
    wait_for(&PipeReader, Duration) -> ();
    watch_parent(&PipeReader) -> ();
    split(Link, u32, &[Limit]) -> (Answers, Tasks);
}

impl Absent {
    absent! { new() -> Self; }

    absent! {
        wait(&self, &Next, &Waker, &mut Incoming) -> bool;
        send(&self, &[u8]) -> io::Result<usize>;
        unread(&self) -> usize;
        take_back(&self) -> Vec<Vec<u8>>;
        wake(&self) -> ();
        sleep(&self, Instant) -> ();
    }
}
