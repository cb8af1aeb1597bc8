//! The tasks of a pool: those that wait, the count of all, and whether more are taken.
//!
//! Nothing here runs code of the caller under the lock; what concerns it is done [later](Queue::later).

use crate::{
    Event, Ledger, TaskError, builder::Settings, child::PACKET_BYTES, state::Shared, wire::Message,
};
use asyncband::semaphore::OwnedSemaphorePermit as Permit;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

/// A task's answer as it came from the worker: whoever takes it decodes it.
pub(crate) type Outcome = Result<Message, TaskError>;

/// Puts an outcome where it goes.
pub(crate) type Reply = Box<dyn FnOnce(u64, Outcome) + Send>;

/// A task on its way.
pub(crate) struct Job {
    pub(crate) task: u64,
    pub(crate) order: Arc<Vec<u8>>,
    pub(crate) reply: Reply,
    /// Who reads it, if others are for the same reader.
    pub(crate) reader: usize,
    /// Its room in the queue, until it is begun.
    pub(crate) permit: Option<Permit>,
    pub(crate) attempts: u32,
    pub(crate) is_cancelled: bool,
}

impl Job {
    /// Whether it is one packet.
    pub(crate) fn is_small(&self) -> bool {
        self.order.len() <= PACKET_BYTES
    }
}

type Effect = Box<dyn FnOnce(&Shared) + Send>;

#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) settings: Arc<Settings>,
    /// What is sent to one worker at once, by the number of its first task.
    pub(crate) waiting: BTreeMap<u64, VecDeque<Job>>,
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

    pub(crate) fn add(&mut self, jobs: VecDeque<Job>) {
        self.ledger.submitted += jobs.len() as u64;
        match self.closed.clone() {
            Some(error) => self.fail(jobs, &error),
            None => drop(self.waiting.insert(jobs[0].task, jobs)),
        }
    }

    /// The next task, if it is one that may be sent ahead.
    pub(crate) fn take_small(&mut self) -> Option<Job> {
        let (_, jobs) = self.waiting.first_key_value()?;
        let may_go = jobs.len() == 1 && jobs[0].is_small();
        may_go.then(|| self.waiting.pop_first()?.1.pop_front())?
    }

    /// Takes a job back that no worker has begun, or that is to be begun again.
    pub(crate) fn requeue(&mut self, job: Job) {
        if self.is_over || job.is_cancelled {
            let error = self.closed.clone().unwrap_or(TaskError::Cancelled);
            return self.settle(job, Err(error));
        }
        self.waiting.insert(job.task, [job].into());
    }

    /// A job is begun or ended, and waits no more.
    pub(crate) fn make_room(&mut self, job: &mut Job) {
        if let Some(permit) = job.permit.take() {
            self.later(|_| drop(permit));
        }
    }

    /// Ends a task.
    pub(crate) fn settle(&mut self, mut job: Job, outcome: Outcome) {
        self.make_room(&mut job);
        let outcome = match outcome {
            _ if job.is_cancelled => Err(TaskError::Cancelled),
            outcome => outcome,
        };
        let count = match &outcome {
            Ok(answer) if answer.is_value() => &mut self.ledger.done,
            Err(TaskError::Cancelled) => &mut self.ledger.cancelled,
            _ => &mut self.ledger.failed,
        };
        *count += 1;
        self.later(move |_| (job.reply)(job.task, outcome));
    }

    /// Ends tasks without a value.
    pub(crate) fn fail(&mut self, jobs: impl IntoIterator<Item = Job>, error: &TaskError) {
        let jobs = jobs.into_iter();
        jobs.for_each(|job| self.settle(job, Err(error.clone())));
    }

    /// Cancels what waits for a reader that is gone.
    pub(crate) fn cancel_all_of(&mut self, reader: usize) {
        let waiting = &mut self.waiting;
        let unwanted = waiting.extract_if(.., |_, jobs| jobs[0].reader == reader);
        let unwanted: Vec<_> = unwanted.flat_map(|(_, jobs)| jobs).collect();
        self.fail(unwanted, &TaskError::Cancelled);
    }
}
