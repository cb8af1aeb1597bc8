//! The tasks of a pool: those that wait, the count of all, and whether more are taken.
//!
//! Nothing here runs code of the caller under the lock; what concerns it is done [later](Queue::later).

use crate::{
    Event, Ledger, TaskError,
    builder::Settings,
    child::PACKET_BYTES,
    state::Shared,
    wire::{self, Batch},
};
use asyncband::semaphore::OwnedSemaphorePermit as Permit;
use std::{collections::BTreeMap, mem, ops::Range, sync::Arc, time::Instant};

/// Answers to tasks in a row as they came from the worker: whoever takes them decodes them.
pub(crate) type Outcome = Result<Batch, TaskError>;

/// Puts the outcome of these tasks where it goes.
pub(crate) type Reply = Arc<dyn Fn(Range<u64>, Outcome) + Send + Sync>;

/// Tasks on their way, which go to one worker at once.
pub(crate) struct Job {
    /// Those that have not ended.
    pub(crate) tasks: Range<u64>,
    /// The messages of these, and of those before them that have ended.
    pub(crate) orders: Arc<Vec<u8>>,
    pub(crate) reply: Reply,
    /// Who reads it, if others are for the same reader.
    pub(crate) reader: usize,
    /// Its room in the queue, until it is begun.
    pub(crate) permit: Option<Permit>,
    pub(crate) attempts: u32,
    pub(crate) is_cancelled: bool,
}

impl Job {
    pub(crate) fn new(tasks: Range<u64>, orders: Vec<u8>, reply: Reply, reader: usize) -> Self {
        Self {
            tasks,
            orders: Arc::new(orders),
            reply,
            reader,
            permit: None,
            attempts: 0,
            is_cancelled: false,
        }
    }

    /// How many tasks it is.
    pub(crate) fn len(&self) -> u64 {
        self.tasks.end - self.tasks.start
    }

    /// Whether it was more than one task.
    pub(crate) fn is_chunk(&self) -> bool {
        wire::head(&self.orders).is_some_and(|(size, ..)| size < self.orders.len())
    }

    /// Whether it is one packet.
    pub(crate) fn is_small(&self) -> bool {
        self.len() == 1 && self.orders.len() <= PACKET_BYTES
    }

    /// Each of its tasks by itself.
    pub(crate) fn apart(self) -> Vec<Self> {
        let (mut orders, mut apart) = (&self.orders[..], Vec::new());
        while let Some((size, task, _)) = wire::head(orders) {
            if size == self.orders.len() {
                return vec![self];
            }
            let (order, others) = orders.split_at(size);
            if self.tasks.contains(&task) {
                let reply = Arc::clone(&self.reply);
                let job = Self::new(task..task + 1, order.to_vec(), reply, self.reader);
                apart.push(job);
            }
            orders = others;
        }
        apart
    }
}

type Effect = Box<dyn FnOnce(&Shared) + Send>;

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) settings: Arc<Settings>,
    /// By the number of the first task of each.
    pub(crate) waiting: BTreeMap<u64, Job>,
    pub(crate) ledger: Ledger,
    /// Why new tasks are refused, if they are.
    pub(crate) closed: Option<TaskError>,
    /// Whether those that were submitted end, too.
    pub(crate) is_over: bool,
    /// When they are to end, whatever they do.
    pub(crate) over_at: Option<Instant>,
    /// What is to be done once no lock is held.
    pub(crate) effects: Vec<Effect>,
}

impl Queue {
    /// Does something once no lock is held: it concerns the caller's code.
    pub(crate) fn later(&mut self, effect: impl FnOnce(&Shared) + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if self.settings.hook.is_some() {
            let event = event();
            self.later(move |shared| shared.settings.notify(event));
        }
    }

    /// Whether dead workers are replaced, and idle ones kept.
    pub(crate) fn wants_workers(&self) -> bool {
        !self.is_over && (self.closed.is_none() || !self.ledger.balances())
    }

    pub(crate) fn add(&mut self, job: Job) {
        self.ledger.submitted += job.len();
        match self.closed.clone() {
            Some(error) => self.fail(job, error),
            None => drop(self.waiting.insert(job.tasks.start, job)),
        }
    }

    /// The next task, if it is one that may be sent ahead.
    pub(crate) fn take_small(&mut self) -> Option<Job> {
        let first = self.waiting.first_entry()?;
        first.get().is_small().then(|| first.remove())
    }

    /// Takes a job back that no worker has begun, or that is to be begun again.
    pub(crate) fn requeue(&mut self, job: Job) {
        if self.is_over || job.is_cancelled {
            let error = self.closed.clone().unwrap_or(TaskError::Cancelled);
            return self.fail(job, error);
        }
        self.waiting.insert(job.tasks.start, job);
    }

    /// A job is begun or ended, and waits no more.
    pub(crate) fn make_room(&mut self, job: &mut Job) {
        if let Some(permit) = job.permit.take() {
            self.later(|_| drop(permit));
        }
    }

    /// Ends the tasks of a job before this one.
    pub(crate) fn settle(&mut self, job: &mut Job, end: u64, outcome: Outcome) {
        self.make_room(job);
        let outcome = match outcome {
            _ if job.is_cancelled => Err(TaskError::Cancelled),
            outcome => outcome,
        };
        let count = match &outcome {
            Ok(answers) if answers.is_value() => &mut self.ledger.done,
            Err(TaskError::Cancelled) => &mut self.ledger.cancelled,
            _ => &mut self.ledger.failed,
        };
        let tasks = mem::replace(&mut job.tasks.start, end)..end;
        *count += end - tasks.start;
        let reply = Arc::clone(&job.reply);
        self.later(move |_| reply(tasks, outcome));
    }

    /// Ends a job without a value.
    pub(crate) fn fail(&mut self, mut job: Job, error: TaskError) {
        let end = job.tasks.end;
        self.settle(&mut job, end, Err(error));
    }

    /// Cancels what waits for a reader that is gone.
    pub(crate) fn cancel_all_of(&mut self, reader: usize) {
        let mut waiting = mem::take(&mut self.waiting);
        let unwanted = waiting.extract_if(.., |_, job| job.reader == reader);
        unwanted.for_each(|(_, job)| self.fail(job, TaskError::Cancelled));
        self.waiting = waiting;
    }
}
