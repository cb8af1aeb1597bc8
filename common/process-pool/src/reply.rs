//! Where tasks' outcomes go, and what they are on the way.

use super::{TaskError, batch, task};
use crossbeam::channel::Sender;
use std::{
    ops::{Deref, Range},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A task's end, its output still as bytes: whoever takes the result decodes it.
pub(super) type Outcome = Result<Record, TaskError>;

/// A result's bytes, among those of the tasks that were reported with it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    report: Arc<[u8]>,
    range: Range<usize>,
}

impl Deref for Record {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.report[self.range.clone()]
    }
}

/// Where the outcomes of a part's tasks go.
#[derive(Debug)]
pub(super) enum Reply {
    /// To the handles that `submit` returned, one for each task.
    Handles(Vec<oneshot::Sender<Outcome>>),
    /// To an iterator, with the index of the first input.
    Iterator(Address, usize),
}

/// An iterator over outcomes, as long as it is there.
#[derive(Clone, Debug)]
pub(super) struct Address {
    tx: Sender<Piece>,
    is_gone: Arc<AtomicBool>,
}

impl Address {
    pub(super) fn new(tx: Sender<Piece>) -> Self {
        let is_gone = Arc::default();
        Self { tx, is_gone }
    }

    /// From now on nobody wants what has not begun.
    pub(super) fn give_up(&self) {
        // Whoever asks does so with the pool's state locked, as is done after this, too.
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

/// What an iterator gets.
#[derive(Debug)]
pub(super) enum Piece {
    /// The records that answer `count` inputs from `index` on.
    Results {
        index: usize,
        count: usize,
        results: Vec<u8>,
    },
    /// The input at this index has no result.
    Failed(usize, TaskError),
}

impl Reply {
    /// To one handle.
    pub(super) fn handle(tx: oneshot::Sender<Outcome>) -> Self {
        Self::Handles(vec![tx])
    }

    /// Whether nobody waits for it any more, nor wants it done.
    pub(super) fn is_unwanted(&self) -> bool {
        match self {
            Self::Handles(_) => false,
            Self::Iterator(address, _) => address.is_gone.load(Ordering::Relaxed),
        }
    }

    /// Keeps the address of the first `count` tasks and returns that of the others.
    pub(super) fn split_off(&mut self, count: usize) -> Self {
        match self {
            Self::Handles(handles) => Self::Handles(handles.split_off(count)),
            Self::Iterator(address, first) => Self::Iterator(address.clone(), *first + count),
        }
    }

    /// Answers each of `count` tasks with `error`.
    pub(super) fn fail(self, count: usize, error: &TaskError) {
        // Nobody waits for it any more: the task has ended all the same.
        match self {
            Self::Handles(handles) => {
                for tx in handles {
                    drop(tx.send(Err(error.clone())));
                }
            }
            Self::Iterator(Address { tx, .. }, first) => {
                for index in first..first + count {
                    drop(tx.send(Piece::Failed(index, error.clone())));
                }
            }
        }
    }

    /// Answers `count` tasks with the records in `results`.
    pub(super) fn send(self, count: usize, results: &[u8]) {
        match self {
            Self::Handles(handles) => {
                let report: Arc<[u8]> = results.into();
                let mut rest = results;
                for tx in handles {
                    let record = batch::take_record(&mut rest);
                    let end = results.len() - rest.len();
                    drop(tx.send(match record {
                        Some((true, record)) => Ok(Record {
                            report: Arc::clone(&report),
                            range: end - record.len()..end,
                        }),
                        Some((false, record)) => Err(batch::failure(record)),
                        None => Err(task::unanswered()),
                    }));
                }
            }
            Self::Iterator(Address { tx, .. }, index) => {
                drop(tx.send(Piece::Results {
                    index,
                    count,
                    results: results.to_vec(),
                }));
            }
        }
    }
}
