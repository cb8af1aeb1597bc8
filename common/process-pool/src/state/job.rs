//! Jobs: what a worker is sent at once, and where its outcome goes.

use crate::{
    TaskError,
    child::PACKET_BYTES,
    sync::Permit,
    wire::{self, Answer},
};
use std::sync::Arc;

/// One or more answers as they came from the worker: whoever takes the outcome decodes them.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) bytes: Vec<u8>,
    /// Where in the bytes they begin.
    pub(crate) from: usize,
    pub(crate) tasks: u32,
}

impl Output {
    pub(crate) fn answers(&self) -> impl Iterator<Item = Answer<'_>> {
        wire::messages(&self.bytes[self.from..]).filter_map(Answer::read)
    }
}

pub(crate) type Outcome = Result<Output, TaskError>;

/// Puts the outcome of the task of this number, the so-manieth of its job, where it goes.
pub(crate) type Reply = Arc<dyn Fn(usize, u64, Outcome) + Send + Sync>;

/// What a worker is sent at once: one task, or a chunk of them.
pub(crate) struct Job {
    /// The number of its first task.
    pub(crate) first: u64,
    pub(crate) tasks: u32,
    /// Their orders.
    pub(crate) message: Arc<Vec<u8>>,
    /// How many of its tasks have been answered.
    pub(crate) answered: u32,
    /// How often its (next) task was begun.
    pub(super) attempts: u32,
    pub(crate) is_cancelled: bool,
    /// Its room in the queue, until it is begun.
    pub(super) permit: Option<Permit>,
    pub(super) reply: Reply,
    /// Who reads it, if others are for the same reader.
    pub(super) reader: Option<usize>,
    /// Which task of the reply's its first one is.
    pub(super) place: usize,
}

impl Job {
    pub(super) fn new(first: u64, tasks: u32, message: Vec<u8>, reply: Reply) -> Self {
        Self {
            first,
            tasks,
            message: Arc::new(message),
            answered: 0,
            attempts: 0,
            is_cancelled: false,
            permit: None,
            reply,
            reader: None,
            place: 0,
        }
    }

    /// The number of the next task.
    pub(crate) fn task(&self) -> u64 {
        self.first + u64::from(self.answered)
    }

    pub(crate) fn unanswered(&self) -> u32 {
        self.tasks - self.answered
    }

    /// Whether it is one task, and one packet.
    pub(crate) fn is_small(&self) -> bool {
        self.tasks == 1 && self.message.len() <= PACKET_BYTES
    }

    /// Whether a worker that has taken so many bytes of its message has begun the next task.
    pub(crate) fn is_begun(&self, taken: usize) -> bool {
        let orders = wire::messages(&self.message).take(self.answered as usize + 1);
        taken >= orders.map(|order| 4 + order.len()).sum()
    }

    /// Takes out what is answered; the rest as jobs of one task each.
    pub(super) fn into_singles(self) -> Vec<Self> {
        if self.tasks == 1 {
            return vec![self];
        }
        let left = wire::messages(&self.message).zip(0_u32..);
        let left = left.skip(self.answered as usize).map(|(order, at)| {
            let mut message = vec![0; 4];
            message.extend_from_slice(order);
            wire::write_size(&mut message);
            let first = self.first + u64::from(at);
            let mut single = Self::new(first, 1, message, Arc::clone(&self.reply));
            single.place = self.place + at as usize;
            single.reader = self.reader;
            single
        });
        left.collect()
    }
}
