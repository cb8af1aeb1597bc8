//! What a pool's handles and threads share, under one lock: the queue, and a slot for each worker.
//!
//! Each slot has a thread, its supervisor: it starts a worker, serves and ends it, and starts the next one.

use crate::{
    Event, Ledger, PoolError, TaskError,
    builder::Settings,
    child::{Next, Waker},
    queue::{Job, Queue},
    wire::{self, IS_NOTED, Incoming, NO_TASK},
    worker::Worker,
};
use asyncband::{latch::Latch, semaphore::Semaphore};
use serde::Serialize;
use std::{
    fmt, io, mem,
    num::NonZeroUsize,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

/// So many places that all who come have one, and there may be so many once more.
pub(crate) const NO_LIMIT: usize = usize::MAX / 2;

/// After so many failed starts in a row a slot has failed; a shortage that lasts about 10 s is one.
const START_ATTEMPTS: u32 = 3;
const SHORTAGE_ATTEMPTS: u32 = 14;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker's place in the pool. Its supervisor alone starts and ends the worker.
pub(crate) struct Slot {
    /// The worker, until its process is reaped.
    pub(crate) worker: Option<Worker>,
    /// Wakes its supervisor.
    pub(crate) waker: Arc<Waker>,
    /// Whether there is nothing to do for that.
    is_waiting: bool,
    next_start: Instant,
    failures: u32,
}

impl Slot {
    pub(crate) fn is_ready(&self) -> bool {
        self.worker.as_ref().is_some_and(Worker::is_ready)
    }

    /// A task that its worker has.
    fn job(&mut self, task: u64) -> Option<&mut Job> {
        let jobs = &mut self.worker.as_mut()?.jobs;
        jobs.iter_mut().find(|job| job.tasks.contains(&task))
    }
}

pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) slots: Vec<Slot>,
    /// Is told once that all workers are ready, or that none ever will be.
    started: Option<Sender<Result<(), PoolError>>>,
}

pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    /// Room in the queue.
    pub(crate) room: Arc<Semaphore>,
    /// Counts the supervisors that have not ended.
    pub(crate) ended: Latch,
    next_task: AtomicU64,
    pub(crate) state: Mutex<State>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.settings.role(), self.ledger())
    }
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        started: Sender<Result<(), PoolError>>,
    ) -> io::Result<Self> {
        let limit = settings.queue_limit.map_or(NO_LIMIT, NonZeroUsize::get);
        let settings = Arc::new(settings);
        let slot = |_| {
            Ok(Slot {
                worker: None,
                waker: Arc::new(Waker::new()?),
                is_waiting: false,
                next_start: Instant::now(),
                failures: 0,
            })
        };
        let slots = (0..settings.workers).map(slot);
        let queue = Queue {
            settings: Arc::clone(&settings),
            ..Queue::default()
        };
        let state = State {
            queue,
            slots: slots.collect::<io::Result<_>>()?,
            started: Some(started),
        };
        Ok(Self {
            room: Arc::new(Semaphore::new(limit.min(NO_LIMIT))),
            ended: Latch::new(settings.workers as u32),
            settings,
            next_task: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    /// Changes the state; what concerns the caller's code happens when the lock is free again.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.state);
        let over_at = &mut state.queue.over_at;
        if over_at.take_if(|at| *at <= Instant::now()).is_some() {
            state.end(TaskError::Cancelled);
        }
        let result = change(&mut state);
        state.hand_out();
        let effects = mem::take(&mut state.queue.effects);
        drop(state);
        for effect in effects {
            // The panic of a waker was printed, and is not the pool's.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| effect(self)));
        }
        result
    }

    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.state).queue.ledger
    }

    /// Appends the message of a task that has no number yet.
    pub(crate) fn encode(
        &self,
        orders: &mut Vec<u8>,
        function: u8,
        input: &impl Serialize,
    ) -> Result<(), TaskError> {
        let is_noted = u8::from(self.settings.hook.is_some()) * IS_NOTED;
        let encoded = wire::append(orders, (NO_TASK, function | is_noted), input);
        encoded.map_err(TaskError::Input)
    }

    /// Numbers the next tasks, whose messages these are.
    pub(crate) fn number(&self, mut orders: &mut [u8], count: u64) -> Range<u64> {
        let first = self.next_task.fetch_add(count, Ordering::Relaxed);
        for task in first..first + count {
            if let Some((size, ..)) = wire::head(orders) {
                orders[4..12].copy_from_slice(&task.to_le_bytes());
                orders = &mut orders[size..];
            }
        }
        first..first + count
    }

    /// Queues tasks, or ends them where they could not be encoded.
    pub(crate) fn add(&self, job: Job, encoded: Result<(), TaskError>) {
        if encoded.is_ok() {
            let tasks = job.tasks.clone();
            tasks.for_each(|task| self.settings.notify(Event::Submitted(task)));
        }
        self.change(|state| match encoded {
            Ok(()) => state.queue.add(job),
            Err(error) => {
                state.queue.ledger.submitted += job.len();
                state.queue.fail(job, error);
            }
        });
    }
}

impl State {
    /// Gives idle workers what waits, and wakes the supervisors that have something to do for it.
    ///
    /// A worker is mostly given a task by the thread that submits it: that is a switch of threads
    /// less. Events come in order only from its supervisor.
    fn hand_out(&mut self) {
        let (is_ending, tasks) = (!self.queue.wants_workers(), self.queue.waiting.len());
        let slots = self.slots.iter_mut().filter(|slot| slot.is_waiting);
        let idle = slots.filter(|slot| is_ending || slot.is_ready());
        for slot in idle.take(if is_ending { usize::MAX } else { tasks }) {
            slot.is_waiting = false;
            let has_hook = self.queue.settings.hook.is_some();
            let worker = slot.worker.as_mut().filter(|_| !has_hook);
            if !worker.is_some_and(|worker| worker.begin_next(&mut self.queue)) {
                slot.waker.wake();
            }
        }
    }

    /// Does all that is due for a worker after a wait; nothing is, when it has ended.
    pub(crate) fn turn(
        &mut self,
        at: usize,
        incoming: &mut Incoming,
        may_have_ended: bool,
    ) -> Option<Next> {
        let slot = &mut self.slots[at];
        let worker = slot.worker.as_mut()?;
        let answers = worker.hear(&mut self.queue, incoming);
        if answers > 0 {
            slot.failures = 0;
        }
        if may_have_ended && let Some(exit) = worker.child.try_wait() {
            let reason = slot.worker.take()?.settle_end(&mut self.queue, exit);
            reason
                .into_iter()
                .for_each(|reason| self.fail_start(at, reason));
            return None;
        }
        let next = worker.turn(&mut self.queue);
        slot.is_waiting = worker.is_idle();
        if self.started.is_some() && self.slots.iter().all(Slot::is_ready) {
            self.report(Ok(()));
        }
        Some(next)
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64) -> bool {
        if let Some(job) = self.queue.waiting.remove(&task) {
            self.queue.fail(job, TaskError::Cancelled);
            return true;
        }
        self.slots.iter_mut().any(|slot| {
            // Its supervisor takes it back, or ends the worker that has begun it.
            let job = slot.job(task).map(|job| job.is_cancelled = true);
            job.inspect(|()| slot.waker.wake()).is_some()
        })
    }

    /// Whether a task has not ended.
    pub(crate) fn has(&mut self, task: u64) -> bool {
        let mut slots = self.slots.iter_mut();
        self.queue.waiting.contains_key(&task) || slots.any(|slot| slot.job(task).is_some())
    }

    /// Takes no more tasks; the workers end when those that were submitted have ended.
    pub(crate) fn close(&mut self) {
        if self.queue.closed.is_none() {
            self.queue.closed = Some(TaskError::Cancelled);
            self.queue.later(|shared| shared.room.release(NO_LIMIT));
        }
        self.slots.iter().for_each(|slot| slot.waker.wake());
    }

    /// Ends what waits, and kills all workers, before any of them is reaped.
    pub(crate) fn end(&mut self, error: TaskError) {
        if self.queue.is_over {
            return;
        }
        self.close();
        self.queue.closed = Some(error.clone());
        self.queue.is_over = true;
        let workers = self.slots.iter_mut().flat_map(|slot| &mut slot.worker);
        workers.for_each(|worker| worker.child.kill());
        let waiting = mem::take(&mut self.queue.waiting).into_values();
        waiting.for_each(|job| self.queue.fail(job, error.clone()));
    }

    /// The pool can go on no more.
    fn give_up(&mut self, reason: PoolError) {
        self.report(Err(reason.clone()));
        let source = Arc::new(reason);
        self.end(TaskError::PoolBroken { source });
    }

    fn report(&mut self, started: Result<(), PoolError>) {
        if let Some(sender) = self.started.take() {
            // A worker is noted as ready before that.
            self.queue.later(move |_| drop(sender.send(started)));
        }
    }

    /// When a slot is to start its next worker; never, if nothing.
    pub(crate) fn next_start(&mut self, at: usize) -> Option<Instant> {
        let slot = &mut self.slots[at];
        slot.is_waiting = self.queue.wants_workers();
        let over_at = self.queue.over_at.unwrap_or(slot.next_start);
        slot.is_waiting.then_some(slot.next_start.min(over_at))
    }

    /// A worker has been started.
    pub(crate) fn admit(&mut self, at: usize, mut worker: Worker) {
        self.queue.ledger.workers_started += 1;
        if self.queue.is_over {
            worker.child.kill();
        }
        self.slots[at].is_waiting = false;
        self.slots[at].worker = Some(worker);
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(&mut self, at: usize, reason: PoolError) {
        let attempts = match reason {
            PoolError::Refused { is_shortage, .. } if is_shortage && self.started.is_none() => {
                SHORTAGE_ATTEMPTS
            }
            _ => START_ATTEMPTS,
        };
        let slot = &mut self.slots[at];
        slot.next_start = Instant::now() + FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.failures += 1;
        let has_failed = |slot: &Slot| slot.failures >= START_ATTEMPTS && !slot.is_ready();
        if slot.failures >= attempts
            && self.queue.wants_workers()
            && (self.started.is_some() || self.slots.iter().all(has_failed))
        {
            self.give_up(reason);
        }
    }
}

/// Looks after a slot until the pool has ended.
pub(crate) fn supervise(shared: &Shared, slot: usize) {
    guard(shared, slot, || {
        let waker = Arc::clone(&lock(&shared.state).slots[slot].waker);
        while let Some(when) = shared.change(|state| state.next_start(slot)) {
            if when > Instant::now() {
                waker.sleep(when);
                continue;
            }
            match Worker::start(&shared.settings, slot) {
                Ok((worker, answers)) => {
                    shared.change(|state| state.admit(slot, worker));
                    let (mut incoming, mut may_have_ended) = (Incoming::default(), false);
                    // Until its process has ended.
                    while let Some(next) =
                        shared.change(|state| state.turn(slot, &mut incoming, may_have_ended))
                    {
                        may_have_ended = answers.wait(&next, &waker, &mut incoming);
                    }
                }
                Err(reason) => shared.change(|state| state.fail_start(slot, reason)),
            }
        }
    });
}

/// Without one of its threads a pool cannot serve: it reports that instead of letting its callers wait.
fn guard(shared: &Shared, slot: usize, work: impl FnOnce()) {
    let worked = panic::catch_unwind(AssertUnwindSafe(work));
    shared.change(|state| {
        if worked.is_err() {
            state.give_up(PoolError::ThreadLost);
        }
        let mut worker = state.slots[slot].worker.take();
        let jobs = worker.iter_mut().flat_map(|worker| worker.jobs.drain(..));
        jobs.for_each(|job| state.queue.requeue(job));
        // Not under the lock: it waits for the process.
        state.queue.later(move |shared| {
            drop(worker);
            shared.ended.count_down();
        });
    });
}

#[cfg(test)]
mod tests;
