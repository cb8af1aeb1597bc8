//! The managers' side of the shared state: workers come and go, and are told what to do next.

use super::{Part, Phase, Process, Shared, State, lock};
use crate::TaskError;
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

    /// Gives up: what waits fails with `reason`, what runs may end.
    pub(in super::super) fn give_up(&self, reason: String) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Open | Phase::Finishing) {
            state.phase = Phase::Broken(reason.clone());
        }
        let error = TaskError::PoolBroken { reason };
        let parts = state.drain(&error);
        self.announce(state, parts, &error);
    }

    /// Takes no more tasks and lets those that are there end.
    pub(in super::super) fn finish(&self) {
        let mut state = lock(&self.state);
        if state.phase == Phase::Open {
            state.phase = Phase::Finishing;
        }
        self.announce(state, Vec::new(), &TaskError::Cancelled);
    }

    /// Cancels all tasks and kills all workers.
    pub(in super::super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.phase = Phase::Stopping;
        let parts = state.drain(&TaskError::Cancelled);
        let slots = state.slots.iter();
        let processes: Vec<Process> = slots.filter_map(|slot| slot.process.clone()).collect();
        self.announce(state, parts, &TaskError::Cancelled);
        for process in processes {
            lock(&process).kill();
        }
    }

    fn announce(&self, state: MutexGuard<'_, State>, ended: Vec<Part>, error: &TaskError) {
        self.tell(state);
        self.rouse_all();
        for part in ended {
            part.fail(error);
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
