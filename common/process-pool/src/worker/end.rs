//! What the end of a worker means for its tasks.

use super::{Ending, Worker};
use crate::{
    Event, PoolError, TaskError,
    child::Exit,
    queue::{Job, Queue},
};
use std::collections::VecDeque;

impl Worker {
    /// It has ended: settles what it had; returns whether that was before it did anything, and why.
    pub(crate) fn settle_end(mut self, queue: &mut Queue, exit: Exit) -> Option<PoolError> {
        let ending = match self.ending.take() {
            _ if queue.is_over => Ending::Dismissed,
            ending => ending.map_or(Ending::Lost, |(ending, _)| ending),
        };
        // Of what is not answered, this it has not taken.
        let unread = self.tasks.as_ref().map_or(0, |tasks| tasks.unread());
        let untaken = unread + self.message.len() - self.sent;
        let mut left: VecDeque<_> = self.jobs.drain(..).flat_map(Job::apart).collect();
        let behind: usize = left.iter().skip(1).map(|job| job.orders.len()).sum();
        // An input that was not taken in time is a task that was not done in time.
        let is_late = ending == Ending::TimedOut;
        let begun = left.pop_front_if(|_| is_late || untaken <= behind);
        let began = begun.as_ref();
        let began = began.map(|job| (job.tasks.start, self.began.elapsed()));
        queue.note(|| Event::Gone(self.id, exit, began));
        queue.ledger.workers_lost += u64::from(ending != Ending::Dismissed);
        let did_nothing = self.given == left.len() as u64;
        left.into_iter().for_each(|job| queue.requeue(job));
        if let Some(job) = begun {
            self.settle_begun(queue, job, &ending, exit);
        }
        let is_ready = self.is_ready();
        // Not under the lock: it waits for processes that are being started.
        queue.later(move |_| drop(self.child));
        match ending {
            Ending::Dismissed => None,
            Ending::Unfit(reason) if !is_ready => Some(reason),
            _ => did_nothing.then_some(PoolError::Ended(exit)),
        }
    }

    /// It has ended in mid-task.
    fn settle_begun(&self, queue: &mut Queue, mut job: Job, ending: &Ending, exit: Exit) {
        job.attempts += 1;
        let (pid, attempts) = (self.id.pid, job.attempts);
        let error = match (ending, queue.settings.timeout) {
            (Ending::Dismissed, _) => queue.closed.clone().unwrap_or(TaskError::Cancelled),
            (Ending::TimedOut, Some(limit)) => TaskError::TimedOut { pid, limit },
            _ if attempts <= queue.settings.retries && !job.is_cancelled => {
                queue.ledger.retried += 1;
                return queue.requeue(job);
            }
            _ => TaskError::WorkerLost {
                pid,
                exit,
                attempts,
            },
        };
        queue.fail(job, error);
    }
}
