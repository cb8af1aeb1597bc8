//! What a pool's handles and threads share, under one lock: the queue, and a slot for each worker.
//!
//! Each slot has a thread, its supervisor: it starts a worker, serves and ends it, and starts the next one.

use crate::{
    Event, Ledger, Payload, PoolError, TaskError,
    builder::Settings,
    child::{Answers, Next, Seen, Waker},
    pool::not_encoded,
    queue::{Job, Queue, Reply},
    sync::{Room, lock},
    wire::{self, IS_NOTED, Incoming},
    worker::Worker,
};
use serde::Serialize;
use std::{
    cell::Cell,
    collections::VecDeque,
    fmt, io, mem,
    num::NonZeroUsize,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

/// After so many failed starts in a row a slot has failed; a shortage that lasts about 10 s is one.
const START_ATTEMPTS: u32 = 3;
const SHORTAGE_ATTEMPTS: u32 = 14;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);

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
        jobs.iter_mut().find(|job| job.task == task)
    }
}

pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) slots: Vec<Slot>,
    /// Is told once that all workers are ready, or that none ever will be.
    started: Option<Sender<Result<(), PoolError>>>,
    /// How many supervisors have not ended.
    supervisors: usize,
}

pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    /// Room in the queue.
    pub(crate) room: Arc<Room>,
    /// Opened when no worker is left.
    pub(crate) ended: Arc<Room>,
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
        let limit = settings.queue_limit.map_or(usize::MAX, NonZeroUsize::get);
        let supervisors = settings.workers;
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
        let slots = (0..supervisors).map(slot);
        let queue = Queue {
            settings: Arc::clone(&settings),
            ..Queue::default()
        };
        let state = State {
            queue,
            slots: slots.collect::<io::Result<_>>()?,
            started: Some(started),
            supervisors,
        };
        Ok(Self {
            settings,
            room: Room::new(limit),
            ended: Room::new(0),
            next_task: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    /// Changes the state; what concerns the caller's code happens when the lock is free again.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        state.hand_out();
        let effects = mem::take(&mut state.queue.effects);
        drop(state);
        effects.into_iter().for_each(|effect| effect(self));
        result
    }

    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.state).queue.ledger
    }

    /// Queues what is to be sent to one worker at once.
    pub(crate) fn add(&self, jobs: VecDeque<Job>) {
        let numbers = jobs.iter().map(|job| job.task);
        numbers.for_each(|task| self.settings.notify(Event::Submitted(task)));
        self.change(|state| state.queue.add(jobs));
    }

    /// Makes a task of an input, and returns its number; one that cannot be encoded ends here.
    pub(crate) fn job(
        &self,
        function: u8,
        input: &impl Serialize,
        reply: Reply,
    ) -> (u64, Option<Job>) {
        let task = self.next_task.fetch_add(1, Ordering::Relaxed);
        let is_noted = u8::from(self.settings.hook.is_some()) * IS_NOTED;
        let order = match wire::encode((task, function | is_noted), input) {
            Ok(order) => Arc::new(order),
            Err(reason) => {
                self.change(|state| {
                    state.queue.ledger.submitted += 1;
                    state.queue.ledger.failed += 1;
                });
                reply(task, Err(not_encoded(Payload::Input)(reason)));
                return (task, None);
            }
        };
        let job = Job {
            task,
            order,
            reply,
            reader: 0,
            permit: None,
            attempts: 0,
            is_cancelled: false,
        };
        (task, Some(job))
    }
}

impl State {
    /// Gives idle workers what waits, and wakes those supervisors that have something to do.
    ///
    /// A worker is mostly given a task by the thread that submits it: that is a switch of threads
    /// less.
    fn hand_out(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.is_waiting) {
            let is_given = match &mut slot.worker {
                _ if !self.queue.wants_workers() => false,
                Some(worker) if !self.queue.waiting.is_empty() => {
                    worker.begin_next(&mut self.queue)
                }
                _ => continue,
            };
            slot.is_waiting = false;
            if !is_given {
                slot.waker.wake();
            }
        }
    }

    /// Does all that is due for a worker after a wait; nothing is, when it has ended.
    pub(crate) fn turn(&mut self, at: usize, incoming: &mut Incoming, seen: Seen) -> Option<Next> {
        let slot = &mut self.slots[at];
        let worker = slot.worker.as_mut()?;
        let answers = worker.hear(&mut self.queue, incoming);
        if answers > 0 {
            slot.failures = 0;
        }
        if seen.has_closed {
            worker.fall_silent();
        }
        if seen.may_have_ended
            && let Some(exit) = worker.child.try_wait()
        {
            let reason = slot.worker.take()?.settle_end(&mut self.queue, exit);
            reason
                .into_iter()
                .for_each(|reason| self.fail_start(at, reason));
            return None;
        }
        let next = worker.turn(&mut self.queue, answers);
        slot.is_waiting = next.is_idle;
        if self.started.is_some() && self.slots.iter().all(Slot::is_ready) {
            self.report(Ok(()));
        }
        Some(next)
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64) -> bool {
        if let Some(jobs) = self.queue.waiting.remove(&task) {
            self.queue.fail(jobs, &TaskError::Cancelled);
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
        self.queue.closed.get_or_insert(TaskError::Cancelled);
        self.queue.later(|shared| shared.room.open());
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
        let waiting = mem::take(&mut self.queue.waiting).into_values().flatten();
        self.queue.fail(waiting, &error);
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: PoolError) {
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
        slot.is_waiting.then_some(slot.next_start)
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

    /// A slot's supervisor ends.
    pub(crate) fn leave(&mut self) {
        self.supervisors -= 1;
        if self.supervisors == 0 {
            self.queue.later(|shared| shared.ended.open());
        }
    }
}

thread_local! {
    static IS_SUPERVISOR: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a pool's.
pub(crate) fn is_supervisor() -> bool {
    IS_SUPERVISOR.get()
}

/// Looks after a slot until the pool has ended.
pub(crate) fn supervise(shared: &Shared, slot: usize) {
    IS_SUPERVISOR.set(true);
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
                    serve(shared, slot, &waker, &answers);
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
        state.queue.later(move |_| drop(worker));
        state.leave();
    });
}

/// Serves a worker until its process has ended.
fn serve(shared: &Shared, slot: usize, waker: &Waker, answers: &Answers) {
    let (mut incoming, mut seen) = (Incoming::default(), Seen::default());
    while let Some(next) = shared.change(|state| state.turn(slot, &mut incoming, seen)) {
        seen = answers.wait(&next, waker, &mut incoming);
    }
}

#[cfg(test)]
mod tests;
