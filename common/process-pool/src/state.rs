//! What a pool's handles and threads share, under one lock: the queue, and a slot for each worker.

use crate::{
    Event, Ledger, Payload, PoolError, TaskError,
    builder::Settings,
    child::{Incoming, Next, Seen, Waker},
    queue::{Job, Queue, Reply},
    sync::{Room, lock},
    task::not_encoded,
    wire::{self, IS_NOTED},
    worker::Worker,
};
use serde::Serialize;
use std::{
    collections::VecDeque,
    fmt, io, mem,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// After so many failed starts in a row a slot has failed; a shortage that lasts about 10 s is one.
const START_ATTEMPTS: u32 = 3;
const SHORTAGE_ATTEMPTS: u32 = 16;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

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
    fn new() -> io::Result<Self> {
        Ok(Self {
            worker: None,
            waker: Arc::new(Waker::new()?),
            is_waiting: false,
            next_start: Instant::now(),
            failures: 0,
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.worker.as_ref().is_some_and(Worker::is_ready)
    }
}

pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) slots: Vec<Slot>,
    was_ready: bool,
    /// How many supervisors have not ended.
    supervisors: usize,
}

pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    /// Room in the queue.
    pub(crate) room: Arc<Room>,
    /// Opened when all workers are ready for the first time, or none ever will be.
    pub(crate) started: Arc<Room>,
    /// Opened when no worker is left.
    pub(crate) ended: Arc<Room>,
    next_task: AtomicU64,
    pub(crate) state: Mutex<State>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.settings.names, self.ledger())
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let limit = settings.queue_limit.map_or(usize::MAX, NonZeroUsize::get);
        let supervisors = settings.workers;
        let settings = Arc::new(settings);
        let slots = (0..supervisors).map(|_| Slot::new());
        let queue = Queue {
            settings: Arc::clone(&settings),
            ..Queue::default()
        };
        let state = State {
            queue,
            slots: slots.collect::<io::Result<_>>()?,
            was_ready: false,
            supervisors,
        };
        Ok(Self {
            settings,
            room: Room::new(limit),
            started: Room::new(0),
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
        let is_noted = self.settings.hook.is_some();
        let kind = function | if is_noted { IS_NOTED } else { 0 };
        let order = match wire::encode((task, kind), input) {
            Ok(order) => Arc::new(order),
            Err(reason) => {
                let mut state = lock(&self.state);
                state.queue.ledger.submitted += 1;
                state.queue.ledger.failed += 1;
                drop(state);
                reply(task, Err(not_encoded(Payload::Input, reason)));
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
        let wants_workers = self.queue.wants_workers();
        for slot in self.slots.iter_mut().filter(|slot| slot.is_waiting) {
            let has_task = slot.worker.is_some() && !self.queue.waiting.is_empty();
            if wants_workers && !has_task {
                continue;
            }
            slot.is_waiting = false;
            let is_given = match &mut slot.worker {
                Some(worker) if wants_workers => worker.begin_next(&mut self.queue),
                _ => false,
            };
            if !is_given {
                slot.waker.wake();
            }
        }
    }

    /// Does all that is due for a worker after a wait; nothing is, when it has ended.
    pub(crate) fn turn(&mut self, at: usize, incoming: &mut Incoming, seen: Seen) -> Option<Next> {
        self.end_in_time();
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
        if !self.was_ready && self.slots.iter().all(Slot::is_ready) {
            self.was_ready = true;
            self.queue.later(|shared| shared.started.open());
        }
        Some(next)
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64) -> bool {
        if let Some(jobs) = self.queue.waiting.remove(&task) {
            self.queue.fail(jobs, &TaskError::Cancelled);
            return true;
        }
        for slot in &mut self.slots {
            let mut jobs = slot.worker.iter_mut().flat_map(|worker| &mut worker.jobs);
            if let Some(job) = jobs.find(|job| job.task == task) {
                // Its supervisor takes it back, or ends the worker that has begun it.
                job.is_cancelled = true;
                slot.waker.wake();
                return true;
            }
        }
        false
    }

    /// Whether a task has not ended.
    pub(crate) fn has(&self, task: u64) -> bool {
        let workers = self.slots.iter().flat_map(|slot| &slot.worker);
        let mut sent = workers.flat_map(|worker| &worker.jobs);
        self.queue.waiting.contains_key(&task) || sent.any(|job| job.task == task)
    }

    /// Takes no more tasks; the workers end when those that were submitted have ended, or then.
    pub(crate) fn close(&mut self, over_at: Option<Instant>) {
        self.queue.closed.get_or_insert(TaskError::Cancelled);
        self.queue.later(|shared| shared.room.open());
        let earlier = self.queue.over_at.into_iter();
        self.queue.over_at = earlier.chain(over_at).min();
        self.slots.iter().for_each(|slot| slot.waker.wake());
    }

    /// Ends what waits, and kills all workers, before any of them is reaped.
    pub(crate) fn end(&mut self, error: TaskError) {
        if self.queue.is_over {
            return;
        }
        self.close(None);
        self.queue.closed = Some(error.clone());
        self.queue.is_over = true;
        let workers = self.slots.iter_mut().flat_map(|slot| &mut slot.worker);
        workers.for_each(|worker| worker.child.start_killing());
        let waiting = mem::take(&mut self.queue.waiting).into_values().flatten();
        self.queue.fail(waiting, &error);
    }

    fn end_in_time(&mut self) {
        let is_past = |at: &mut Instant| *at <= Instant::now();
        if self.queue.over_at.take_if(is_past).is_some() {
            self.end(TaskError::Cancelled);
        }
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: PoolError) {
        let source = Arc::new(reason);
        self.end(TaskError::PoolBroken { source });
        self.queue.later(|shared| shared.started.open());
    }

    /// When a slot is to start its next worker, or to look again; never, if nothing.
    pub(crate) fn next_start(&mut self, at: usize) -> Option<Instant> {
        self.end_in_time();
        let slot = &mut self.slots[at];
        slot.is_waiting = self.queue.wants_workers();
        let when = self
            .queue
            .over_at
            .into_iter()
            .chain([slot.next_start])
            .min();
        when.filter(|_| slot.is_waiting)
    }

    /// A worker has been started.
    pub(crate) fn admit(&mut self, at: usize, mut worker: Worker) {
        self.queue.ledger.workers_started += 1;
        if self.queue.is_over {
            worker.child.start_killing();
        }
        self.slots[at].is_waiting = false;
        self.slots[at].worker = Some(worker);
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(&mut self, at: usize, reason: PoolError) {
        let slot = &mut self.slots[at];
        let back_off = FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.next_start = Instant::now() + back_off.min(LONGEST_BACK_OFF);
        slot.failures += 1;
        let attempts = match reason {
            PoolError::Refused { is_shortage, .. } if is_shortage && self.was_ready => {
                SHORTAGE_ATTEMPTS
            }
            _ => START_ATTEMPTS,
        };
        let has_failed = |slot: &Slot| slot.failures >= START_ATTEMPTS && !slot.is_ready();
        if slot.failures >= attempts
            && self.queue.wants_workers()
            && (!self.was_ready || self.slots.iter().all(has_failed))
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
