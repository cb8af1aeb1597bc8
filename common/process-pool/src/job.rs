//! Tasks on their way, and where their outcomes go.

use crate::{TaskError, oneshot::OneShot, stream::Stream, wire};
use std::sync::Arc;

/// One or more outputs as they came from the worker: whoever takes the result decodes it.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) message: Vec<u8>,
    /// Where in the message the records begin.
    pub(crate) from: usize,
    pub(crate) tasks: u32,
}

impl Output {
    pub(crate) fn records(&self) -> &[u8] {
        &self.message[self.from..]
    }
}

pub(crate) type Outcome = Result<Output, TaskError>;

/// Where the outcome of a task goes.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Handle(Arc<OneShot<Outcome>>),
    /// With the index of the first input.
    Stream(Arc<Stream>, usize),
}

impl Reply {
    /// The same for the task that is `offset` further on.
    fn at(&self, offset: u32) -> Self {
        match self {
            Self::Handle(handle) => Self::Handle(Arc::clone(handle)),
            Self::Stream(stream, index) => {
                Self::Stream(Arc::clone(stream), index + offset as usize)
            }
        }
    }

    fn is_of(&self, wanted: &Arc<Stream>) -> bool {
        matches!(self, Self::Stream(stream, _) if Arc::ptr_eq(stream, wanted))
    }
}

/// What a worker is sent at once: one task, or a chunk of them.
#[derive(Debug)]
pub(crate) struct Job {
    /// The number of its first task.
    pub(crate) id: u64,
    pub(crate) tasks: u32,
    /// How many of them have been answered.
    pub(crate) answered: u32,
    /// The input of one task; of several, a record for each.
    pub(crate) input: Vec<u8>,
    /// How often its (next) task was begun.
    pub(crate) attempts: u32,
    pub(crate) cancelled: bool,
    /// Whether it takes up room in the queue.
    pub(crate) has_place: bool,
    reply: Reply,
}

impl Job {
    pub(crate) fn new(id: u64, tasks: u32, input: Vec<u8>, reply: Reply) -> Self {
        Self {
            id,
            tasks,
            answered: 0,
            input,
            attempts: 0,
            cancelled: false,
            has_place: true,
            reply,
        }
    }

    pub(crate) fn unanswered(&self) -> u32 {
        self.tasks - self.answered
    }

    pub(crate) fn is_of(&self, stream: &Arc<Stream>) -> bool {
        self.reply.is_of(stream)
    }

    /// Takes out what is answered; the rest as jobs of one task each.
    pub(crate) fn into_singles(self) -> Vec<Self> {
        if self.tasks == 1 {
            return vec![self];
        }
        let mut records = &self.input[..];
        let all = std::iter::from_fn(|| wire::take(&mut records));
        (0..self.tasks)
            .zip(all)
            .skip(self.answered as usize)
            .map(|(offset, (_, input))| Self {
                id: self.id + u64::from(offset),
                tasks: 1,
                answered: 0,
                input: input.to_vec(),
                attempts: 0,
                cancelled: self.cancelled,
                has_place: false,
                reply: self.reply.at(offset),
            })
            .collect()
    }
}

/// What is to be done once no lock is held; done when dropped, whatever else goes wrong.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    outcomes: Vec<(Reply, u64, Outcome)>,
    pub(crate) wakes: Vec<Arc<OneShot<()>>>,
}

impl Effects {
    /// Answers the next tasks of a job.
    pub(crate) fn answer(&mut self, job: &Job, outcome: Outcome) {
        let number = job.id + u64::from(job.answered);
        self.outcomes
            .push((job.reply.at(job.answered), number, outcome));
    }

    /// Answers every unanswered task of a job with `error`.
    pub(crate) fn fail(&mut self, job: &mut Job, error: &TaskError) {
        while job.unanswered() > 0 {
            self.answer(job, Err(error.clone()));
            job.answered += 1;
        }
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        for (reply, number, outcome) in self.outcomes.drain(..) {
            match reply {
                Reply::Handle(handle) => handle.put(outcome),
                Reply::Stream(stream, index) => stream.put(index, number, outcome),
            }
        }
        for wake in self.wakes.drain(..) {
            wake.put(());
        }
    }
}
