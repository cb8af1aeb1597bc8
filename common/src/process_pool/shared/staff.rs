//! The managers' side of the shared state: workers come and go, tasks are handed out and settled.

use super::{Job, Next, Outcome, Phase, Process, Reply, Shared, State, lock};
use crate::process_pool::TaskError;
use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

impl Shared {
    /// Whether a worker is still needed.
    pub(in super::super) fn wants_workers(&self) -> bool {
        let state = lock(&self.state);
        match state.phase {
            Phase::Open => true,
            Phase::Finishing => !state.queue.is_empty(),
            Phase::Stopping | Phase::Broken(_) => false,
        }
    }

    /// Takes note of a process that was started; `false` when the pool is stopping already.
    pub(in super::super) fn register(&self, slot: usize, process: &Process) -> bool {
        let mut state = lock(&self.state);
        state.ledger.workers_started += 1;
        state.slots[slot].process = Some(process.clone());
        state.phase != Phase::Stopping
    }

    /// Takes note of a worker that is ready.
    pub(in super::super) fn ready(&self, slot: usize, pid: u32, startup: Duration) {
        let mut state = lock(&self.state);
        state.slots[slot].pid = Some(pid);
        state.slots[slot].startup = Some(startup);
        self.tell(state);
    }

    /// Takes note of a worker that is gone and reaped, though the pool had not ended it.
    pub(in super::super) fn lost(&self, slot: usize) {
        let mut state = lock(&self.state);
        state.slots[slot].process = None;
        state.slots[slot].pid = None;
        state.ledger.workers_lost += 1;
    }

    /// Takes note of a worker that the pool has ended because it needs it no more.
    pub(in super::super) fn dismissed(&self, slot: usize) {
        let mut state = lock(&self.state);
        state.slots[slot].process = None;
        state.slots[slot].pid = None;
    }

    /// Waits for what the manager of `slot`, whose worker is idle, should do.
    pub(in super::super) fn next(&self, slot: usize, process: &Process) -> Next {
        let mut state = lock(&self.state);
        let mut at_once = true;
        loop {
            match state.phase {
                Phase::Stopping | Phase::Broken(_) => return Next::End,
                Phase::Finishing if state.queue.is_empty() => return Next::End,
                Phase::Open | Phase::Finishing => {}
            }
            if !state.queue.is_empty() {
                break;
            }
            at_once = false;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(exit) = lock(process).try_wait() {
            // Reaped: its id may soon name another process.
            state.slots[slot].pid = None;
            drop(state);
            // Another worker may be idle and alive.
            self.work.notify_one();
            return Next::Dead { exit, at_once };
        }
        let (_, mut job) = state
            .queue
            .pop_first()
            .expect("it was not empty under this lock");
        job.attempts += 1;
        state.slots[slot].task = Some(job.task);
        if self.settings.queue_limit.is_some() {
            self.tell(state);
        }
        Next::Job(job)
    }

    /// Ends a task with `outcome`, unless it was cancelled; whether its worker may have another.
    pub(in super::super) fn settle(&self, slot: usize, job: Job, outcome: Outcome) -> bool {
        let mut state = lock(&self.state);
        let cancelled = self.release(&mut state, slot);
        let outcome = if cancelled {
            Err(TaskError::Cancelled)
        } else {
            outcome
        };
        state.count(&outcome);
        drop(state);
        job.reply.send(outcome);
        !cancelled
    }

    /// Queues a task again whose worker was lost, or ends it with `error` after its last attempt.
    pub(in super::super) fn retry(&self, slot: usize, job: Job, error: TaskError) {
        let mut state = lock(&self.state);
        let goes_on = matches!(state.phase, Phase::Open | Phase::Finishing);
        let cancelled = state.slots[slot].condemned;
        if cancelled || !goes_on || job.attempts > self.settings.retries {
            drop(state);
            self.settle(slot, job, Err(error));
            return;
        }
        self.release(&mut state, slot);
        state.ledger.retried += 1;
        state.queue.insert(job.task, job);
        drop(state);
        self.work.notify_one();
    }

    /// The worker of `slot` is done with its task; whether that was cancelled meanwhile.
    fn release(&self, state: &mut MutexGuard<'_, State>, slot: usize) -> bool {
        let slot = &mut state.slots[slot];
        slot.task = None;
        std::mem::take(&mut slot.condemned)
    }

    /// Gives up: what waits fails with `reason`, what runs may end.
    pub(in super::super) fn give_up(&self, reason: String) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Open | Phase::Finishing) {
            state.phase = Phase::Broken(reason.clone());
        }
        let replies = state.drain(&TaskError::PoolBroken { reason });
        self.announce(state, replies);
    }

    /// Takes no more tasks and lets those that are there end.
    pub(in super::super) fn finish(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Open {
            state.phase = Phase::Finishing;
        }
        self.announce(state, Vec::new());
    }

    /// Cancels all tasks and kills all workers.
    pub(in super::super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Stopping;
        let replies = state.drain(&TaskError::Cancelled);
        let mut processes = Vec::new();
        for slot in &mut state.slots {
            slot.condemned = slot.task.is_some();
            processes.extend(slot.process.clone());
        }
        self.announce(state, replies);
        for process in processes {
            lock(&process).kill();
        }
    }

    fn announce(&self, state: MutexGuard<'_, State>, replies: Vec<(Reply, Outcome)>) {
        self.tell(state);
        self.work.notify_all();
        for (reply, outcome) in replies {
            reply.send(outcome);
        }
    }

    /// Waits until every worker has been ready once.
    ///
    /// # Errors
    /// The reason for which the pool gave up.
    pub(in super::super) fn wait_until_ready(&self) -> Result<(), String> {
        let waits = |state: &mut State| {
            state.phase == Phase::Open && state.slots.iter().any(|slot| slot.startup.is_none())
        };
        let state = self
            .change
            .wait_while(lock(&self.state), waits)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.phase {
            Phase::Broken(reason) => Err(reason.clone()),
            _ => Ok(()),
        }
    }
}
