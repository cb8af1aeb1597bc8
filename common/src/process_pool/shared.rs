//! What the pool, its handles and its managers share: the queue, the workers, the ledger.
//!
//! One mutex guards all of it. Lock order: this state first, then a worker's process; nobody takes
//! the state while holding a process.

mod staff;

use super::{Ledger, TaskError, builder::Settings};
use crate::child::{Child, Exit};
use crossbeam_channel::Sender;
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A task's end, its output still as bytes: whoever takes the result decodes it.
pub(super) type Outcome = Result<Vec<u8>, TaskError>;

/// A worker's process; shared, because a manager waits for it while a canceller kills it.
pub(super) type Process = Arc<Mutex<Child>>;

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a task's outcome goes.
#[derive(Debug)]
pub(super) enum Reply {
    /// To the handle that `submit` returned.
    Handle(oneshot::Sender<Outcome>),
    /// To an iterator, with the input's index.
    Iterator(Sender<(usize, Outcome)>, usize),
}

impl Reply {
    pub(super) fn send(self, outcome: Outcome) {
        // Nobody waits for it any more: the task was done all the same.
        match self {
            Self::Handle(tx) => drop(tx.send(outcome)),
            Self::Iterator(tx, index) => drop(tx.send((index, outcome))),
        }
    }
}

/// A task that has no outcome yet.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) task: u64,
    pub(super) input: Vec<u8>,
    pub(super) attempts: u32,
    reply: Reply,
}

/// What a manager does next.
pub(super) enum Next {
    /// Run this.
    Job(Job),
    /// Replace the worker, which is dead; `at_once` when it had no time to idle.
    Dead { exit: Exit, at_once: bool },
    /// End: no more tasks will come.
    End,
}

#[derive(Debug, PartialEq)]
enum Phase {
    Open,
    /// No new tasks; the queued ones are done.
    Finishing,
    /// No new tasks; the queued and running ones are cancelled.
    Stopping,
    Broken(String),
}

#[derive(Debug, Default)]
struct Slot {
    process: Option<Process>,
    pid: Option<u32>,
    startup: Option<Duration>,
    task: Option<u64>,
    /// The running task was cancelled: this worker is never given another.
    condemned: bool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// By number: a task to be retried is older than all that wait, and goes first.
    queue: BTreeMap<u64, Job>,
    next_task: u64,
    slots: Vec<Slot>,
    ledger: Ledger,
    waiting_submitters: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    state: Mutex<State>,
    /// There is work, or no more will come.
    work: Condvar,
    /// There is room in the queue, a worker is ready, or the phase changed.
    change: Condvar,
}

impl State {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Ok(_) => self.ledger.done += 1,
            Err(TaskError::Cancelled) => self.ledger.cancelled += 1,
            Err(_) => self.ledger.failed += 1,
        }
    }

    /// Ends every waiting task with `error`; the caller sends the replies without the lock.
    fn drain(&mut self, error: &TaskError) -> Vec<(Reply, Outcome)> {
        let jobs = std::mem::take(&mut self.queue);
        jobs.into_values()
            .map(|job| {
                let outcome = Err(error.clone());
                self.count(&outcome);
                (job.reply, outcome)
            })
            .collect()
    }
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let slots = (0..settings.workers.get())
            .map(|_| Slot::default())
            .collect();
        Self {
            settings,
            state: Mutex::new(State {
                phase: Phase::Open,
                queue: BTreeMap::new(),
                next_task: 0,
                slots,
                ledger: Ledger::default(),
                waiting_submitters: Vec::new(),
            }),
            work: Condvar::new(),
            change: Condvar::new(),
        }
    }

    fn is_full(&self, state: &State) -> bool {
        let limit = self.settings.queue_limit;
        state.phase == Phase::Open && limit.is_some_and(|limit| state.queue.len() >= limit.get())
    }

    /// Queues a task and returns its number, waiting for room.
    pub(super) fn enqueue(&self, input: Vec<u8>, reply: Reply) -> u64 {
        let state = self
            .change
            .wait_while(lock(&self.state), |state| self.is_full(state))
            .unwrap_or_else(PoisonError::into_inner);
        self.admit(state, input, reply)
    }

    /// Queues a task if there is room.
    pub(super) fn try_enqueue(&self, input: Vec<u8>, reply: Reply) -> Option<u64> {
        let state = lock(&self.state);
        (!self.is_full(&state)).then(|| self.admit(state, input, reply))
    }

    fn admit(&self, mut state: MutexGuard<'_, State>, input: Vec<u8>, reply: Reply) -> u64 {
        let task = state.next_task;
        state.next_task += 1;
        state.ledger.submitted += 1;
        if let Phase::Broken(reason) = &state.phase {
            let reason = reason.clone();
            let outcome = Err(TaskError::PoolBroken { reason });
            state.count(&outcome);
            drop(state);
            reply.send(outcome);
            return task;
        }
        let attempts = 0;
        state.queue.insert(
            task,
            Job {
                task,
                input,
                attempts,
                reply,
            },
        );
        drop(state);
        self.work.notify_one();
        task
    }

    /// Counts a task that never reached the queue, and answers it.
    pub(super) fn refuse(&self, error: TaskError, reply: Reply) -> u64 {
        let outcome = Err(error);
        let mut state = lock(&self.state);
        let task = state.next_task;
        state.next_task += 1;
        state.ledger.submitted += 1;
        state.count(&outcome);
        drop(state);
        reply.send(outcome);
        task
    }

    /// Something to wait for until there may be room; `None` when there is.
    pub(super) fn room(&self) -> Option<oneshot::Receiver<()>> {
        let mut state = lock(&self.state);
        self.is_full(&state).then(|| {
            let (tx, rx) = oneshot::channel();
            state.waiting_submitters.push(tx);
            rx
        })
    }

    /// Tells those who wait for room, or for a change of phase.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting_submitters);
        drop(state);
        self.change.notify_all();
        for tx in waiting {
            drop(tx.send(()));
        }
    }

    /// Takes a result that did not decode back from the ledger's `done`.
    pub(super) fn recount_as_failed(&self) {
        let mut state = lock(&self.state);
        state.ledger.done -= 1;
        state.ledger.failed += 1;
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(super) fn cancel(&self, task: u64) -> bool {
        let mut state = match self.take_queued(lock(&self.state), task) {
            Ok(()) => return true,
            Err(state) => state,
        };
        let mut slots = state.slots.iter_mut();
        let Some(slot) = slots.find(|slot| slot.task == Some(task)) else {
            return false;
        };
        slot.condemned = true;
        let process = slot.process.clone();
        drop(state);
        if let Some(process) = process {
            lock(&process).kill();
        }
        true
    }

    /// Cancels a task that has not started; one that runs, or ran, is left alone.
    pub(super) fn cancel_queued(&self, task: u64) {
        // The other answer is the lock, which is let go.
        let _ = self.take_queued(lock(&self.state), task);
    }

    fn take_queued<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        task: u64,
    ) -> Result<(), MutexGuard<'a, State>> {
        let Some(job) = state.queue.remove(&task) else {
            return Err(state);
        };
        let outcome = Err(TaskError::Cancelled);
        state.count(&outcome);
        self.tell(state);
        job.reply.send(outcome);
        Ok(())
    }

    pub(super) fn ledger(&self) -> Ledger {
        lock(&self.state).ledger
    }

    pub(super) fn worker_ids(&self) -> Vec<u32> {
        lock(&self.state)
            .slots
            .iter()
            .filter_map(|slot| slot.pid)
            .collect()
    }

    pub(super) fn startup(&self) -> Vec<Duration> {
        lock(&self.state)
            .slots
            .iter()
            .filter_map(|slot| slot.startup)
            .collect()
    }
}
