//! The end of a worker, and what the tasks that it had come to.

use super::Supervisor;
use crate::{
    Event, TaskError, WorkerStartError,
    child::Exit,
    job::{Effects, Job},
    remote::Ending,
    state::State,
};
use std::time::Instant;

impl Supervisor<'_> {
    /// The worker has ended: settles what it had, and whether it was well.
    pub(super) fn settle_end(&mut self, state: &mut State, exit: Exit, effects: &mut Effects<'_>) {
        let (now, slot) = (Instant::now(), self.worker.id.slot);
        let worker = &mut self.worker;
        let ending = worker
            .ending
            .take()
            .map_or(Ending::Lost, |(ending, _)| ending);
        let is_ready = state.slots[slot].pid.take().is_some();
        state.slots[slot].is_idle = false;
        let mut sent = std::mem::take(&mut state.slots[slot].sent);
        // A message that was not taken in time is a task that was not done in time.
        if ending != Ending::TimedOut || !worker.wants_room() {
            for job in worker.take_back(&mut sent, true) {
                state.requeue(job, effects);
            }
        }
        let begun = sent.front().map(|job| (job.task(), now - worker.began));
        effects.note(|| Event::Gone(worker.id, exit, begun));
        let did_nothing = sent.is_empty() && worker.given == 0;
        for job in sent {
            self.settle_lost(state, job, (exit, &ending), effects);
        }
        if ending == Ending::Dismissed {
            return;
        }
        state.ledger.workers_lost += 1;
        let reason = match ending {
            Ending::Unfit(reason) => reason,
            _ if !is_ready => WorkerStartError::Ended(exit),
            _ if did_nothing => WorkerStartError::EndedIdle(exit),
            _ => return,
        };
        if state.wants_workers() {
            state.fail_start(slot, reason, false, effects);
        }
    }

    /// Settles a job that the worker had begun.
    fn settle_lost(
        &self,
        state: &mut State,
        job: Job,
        (exit, ending): (Exit, &Ending),
        effects: &mut Effects<'_>,
    ) {
        let (pid, settings) = (self.worker.id.pid, &self.shared.settings);
        let attempts = job.attempts + 1;
        let mut rest = job.into_singles().into_iter();
        let Some(mut job) = rest.next() else { return };
        job.attempts = attempts;
        rest.for_each(|other| state.requeue(other, effects));
        let error = match (ending, settings.timeout) {
            (Ending::Dismissed, _) => TaskError::Cancelled,
            _ if job.cancelled => TaskError::Cancelled,
            (Ending::TimedOut, Some(limit)) => TaskError::TimedOut { pid, limit },
            _ if attempts <= settings.retries => {
                state.ledger.retried += 1;
                return state.requeue(job, effects);
            }
            _ => TaskError::WorkerLost {
                pid,
                exit,
                attempts,
            },
        };
        state.fail(job, &error, effects);
    }
}
