//! How workers start and end, and the pool with them.

use super::{Ending, Phase, Slot, State, TAKE_BACK_AFTER, Worker, remote::END_LIMIT};
use crate::{
    PoolError, TaskError, WorkerStartError,
    child::Exit,
    job::{Effects, Job},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// After so many failed starts in a row a slot has failed.
const START_ATTEMPTS: u32 = 3;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

impl State {
    /// Ends all that waits, with `error`.
    pub(super) fn fail_queue(&mut self, error: &TaskError, effects: &mut Effects) {
        for (_, job) in std::mem::take(&mut self.queue) {
            self.fail(job, error, effects);
        }
        effects.wakes.extend(self.room.open());
    }

    /// Cancels what waits and kills all workers; all of them get the signal before any is reaped.
    pub(crate) fn stop(&mut self, effects: &mut Effects) {
        if self.phase == Phase::Open || self.phase == Phase::Finishing {
            self.phase = Phase::Stopping;
        }
        let now = Instant::now();
        self.workers_mut()
            .for_each(|worker| worker.kill(Ending::Dismissed, now));
        self.fail_queue(&TaskError::Cancelled, effects);
        self.wants_look = true;
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: WorkerStartError, effects: &mut Effects) {
        if self.phase == Phase::Stopping {
            return;
        }
        self.started.put(Err(PoolError::Broken {
            source: reason.clone(),
        }));
        let source = Arc::new(reason);
        self.phase = Phase::Broken(Arc::clone(&source));
        self.fail_queue(&TaskError::PoolBroken { source }, effects);
        let now = Instant::now();
        self.workers_mut()
            .for_each(|worker| worker.kill(Ending::Dismissed, now));
    }

    /// Ends every task at once, and every worker.
    pub(crate) fn abandon(&mut self, effects: &mut Effects) {
        for slot in 0..self.slots.len() {
            if let Some(worker) = self.slots[slot].worker.take() {
                for job in worker.sent {
                    self.fail(job, &crate::event_loop::lost(), effects);
                }
            }
        }
    }

    /// Whether dead workers are replaced, and idle ones kept.
    fn wants_workers(&self) -> bool {
        match self.phase {
            Phase::Open => true,
            Phase::Finishing => {
                !self.queue.is_empty() || self.workers().any(|worker| !worker.sent.is_empty())
            }
            Phase::Stopping | Phase::Broken(_) => false,
        }
    }

    /// The slots that are to start a worker now.
    pub(crate) fn due_starts(&self, now: Instant) -> Vec<usize> {
        if !self.wants_workers() {
            return Vec::new();
        }
        let is_due = |slot: &Slot| slot.worker.is_none() && slot.next_start <= now;
        let all = self.slots.iter().enumerate();
        all.filter(|(_, slot)| is_due(slot))
            .map(|(at, _)| at)
            .collect()
    }

    /// Takes in a worker that was started.
    pub(crate) fn install(&mut self, slot: usize, mut worker: Worker) {
        self.ledger.workers_started += 1;
        if !self.wants_workers() {
            worker.kill(Ending::Dismissed, Instant::now());
        }
        self.slots[slot].worker = Some(worker);
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(
        &mut self,
        at: usize,
        reason: WorkerStartError,
        effects: &mut Effects,
    ) {
        let now = Instant::now();
        let slot = &mut self.slots[at];
        let back_off = FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.next_start = now + back_off.min(LONGEST_BACK_OFF);
        slot.failures += 1;
        let since = *slot.failing_since.get_or_insert(now);
        let is_shortage =
            matches!(reason, WorkerStartError::Refused { is_shortage, .. } if is_shortage);
        let may_pass = self.was_ready && is_shortage && now - since < self.settings.start_limit;
        let all_fail = || {
            let failed = |slot: &Slot| slot.failures >= START_ATTEMPTS;
            self.slots.iter().all(failed) && self.ready_workers().next().is_none()
        };
        let slot_fails = self.slots[at].failures >= START_ATTEMPTS;
        if slot_fails && !may_pass && (!self.was_ready || all_fail()) {
            self.give_up(reason, effects);
        }
    }

    /// A worker has ended: settles what it had, and has it replaced.
    pub(crate) fn bury(&mut self, at: usize, exit: Exit, effects: &mut Effects) {
        let now = Instant::now();
        let slot = &mut self.slots[at];
        let Some(mut worker) = slot.worker.take() else {
            return;
        };
        let ending = worker.ending.map_or(Ending::Lost, |(ending, _)| ending);
        // A message that was not taken in time is a task that was not done in time.
        let returned = match ending {
            Ending::TimedOut if worker.partly_sent.is_some() => Vec::new(),
            _ => worker.take_back(true),
        };
        for job in returned {
            if job.cancelled {
                self.fail(job, &TaskError::Cancelled, effects);
            } else {
                self.queue.insert(job.id, job);
            }
        }
        let had_begun = worker.sent.front().map(|job| {
            let task = job.id + u64::from(job.answered);
            (task, now - worker.began)
        });
        if let Some(recorder) = &self.settings.recorder {
            recorder.lost(worker.pid, at, exit, had_begun);
        }
        if ending != Ending::Dismissed {
            self.ledger.workers_lost += 1;
        }
        for job in std::mem::take(&mut worker.sent) {
            self.settle_lost(job, (worker.pid, exit, ending), effects);
        }
        if ending != Ending::Dismissed && self.wants_workers() {
            let reason = match ending {
                Ending::NotReady => WorkerStartError::NotReady {
                    limit: self.settings.start_limit,
                },
                Ending::NotUnderstood => WorkerStartError::NotUnderstood,
                _ if !worker.is_ready => WorkerStartError::Ended { exit },
                _ if had_begun.is_none() && worker.tasks_given == 0 => {
                    WorkerStartError::EndedIdle { exit }
                }
                _ => return self.dispatch_or_end(effects),
            };
            self.fail_start(at, reason, effects);
        }
        self.dispatch_or_end(effects);
    }

    fn dispatch_or_end(&mut self, effects: &mut Effects) {
        match &self.phase {
            Phase::Stopping => self.fail_queue(&TaskError::Cancelled, effects),
            Phase::Broken(reason) => {
                let source = Arc::clone(reason);
                self.fail_queue(&TaskError::PoolBroken { source }, effects);
            }
            Phase::Open | Phase::Finishing => self.dispatch(effects),
        }
    }

    /// What becomes of a job that a worker had begun when it ended.
    fn settle_lost(
        &mut self,
        mut job: Job,
        (pid, exit, ending): (u32, Exit, Ending),
        effects: &mut Effects,
    ) {
        let begun = job.attempts + 1;
        let is_cancelled = job.cancelled || ending == Ending::Dismissed;
        let mut rest = job.into_singles().into_iter();
        let Some(first) = rest.next() else { return };
        job = first;
        job.attempts = begun;
        for other in rest {
            self.queue.insert(other.id, other);
        }
        if is_cancelled {
            self.fail(job, &TaskError::Cancelled, effects);
        } else if let (Ending::TimedOut, Some(limit)) = (ending, self.settings.timeout) {
            self.fail(job, &TaskError::TimedOut { pid, limit }, effects);
        } else if begun <= self.settings.retries {
            self.ledger.retried += 1;
            self.queue.insert(job.id, job);
        } else {
            let attempts = begun;
            let error = TaskError::WorkerLost {
                pid,
                exit,
                attempts,
            };
            self.fail(job, &error, effects);
        }
    }

    /// Does what is due; returns when to look again.
    pub(crate) fn tick(&mut self, now: Instant, effects: &mut Effects) -> Option<Instant> {
        if self.stop_at.is_some_and(|stop_at| stop_at <= now) {
            self.stop_at = None;
            self.stop(effects);
        }
        let is_done = self.phase == Phase::Finishing && !self.wants_workers();
        let (timeout, start_limit) = (self.settings.timeout, self.settings.start_limit);
        let mut next = self.stop_at;
        let mut look_at = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let mut has_taken_back = false;
        for slot in 0..self.slots.len() {
            let Some(worker) = self.slots[slot].worker.as_mut() else {
                if self.wants_workers() {
                    look_at(self.slots[slot].next_start);
                }
                continue;
            };
            if is_done && worker.ending.is_none() {
                worker.dismiss(now);
            }
            if let Some((ending, deadline)) = worker.ending {
                if deadline <= now {
                    worker.kill(ending, now);
                }
                let every = if worker.watch.wakes() {
                    END_LIMIT
                } else {
                    Duration::from_millis(5)
                };
                look_at(now + every);
                continue;
            }
            if !worker.is_ready {
                if worker.spawned + start_limit <= now {
                    worker.kill(Ending::NotReady, now);
                }
                look_at(worker.spawned + start_limit);
            }
            if worker.sent.is_empty() {
                continue;
            }
            if let Some(limit) = timeout {
                if worker.began + limit <= now {
                    worker.kill(Ending::TimedOut, now);
                }
                look_at(worker.began + limit);
            }
            if worker.sent.len() > 1 {
                let at = worker.began + TAKE_BACK_AFTER;
                if at <= now {
                    self.take_back(slot);
                    has_taken_back = true;
                } else {
                    look_at(at);
                }
            }
        }
        if has_taken_back {
            self.dispatch(effects);
        }
        next
    }

    /// Whether nothing is left to do, for ever.
    pub(crate) fn is_over(&self) -> bool {
        self.phase != Phase::Open && !self.wants_workers() && self.workers().next().is_none()
    }
}
