//! What a pool's handles and threads share, under one lock: the queue, and what each worker has of it.
//!
//! Nothing here runs code of the caller under the lock; what concerns it is done [later](State::later).

mod job;

pub(crate) use job::{Job, Outcome, Reply};

use crate::{
    Event, Ledger, Payload, PoolError, TaskError, WorkerId,
    builder::Settings,
    child::{Child, Waker},
    sync::{Room, lock},
    task::not_encoded,
    wire::{self, IS_NOTED, Message},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io, iter, mem,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// After so many failed starts in a row a slot has failed.
const START_ATTEMPTS: u32 = 3;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

/// A worker's place in the pool. Its supervisor alone starts and ends the worker.
#[derive(Default)]
pub(crate) struct Slot {
    /// The worker's process, until it is reaped.
    pub(crate) child: Option<Child>,
    pub(crate) is_ready: bool,
    /// What the worker has, in order; at most the first is begun.
    pub(crate) jobs: VecDeque<Job>,
    /// Whether the worker has nothing to do, and its supervisor waits to be woken.
    pub(crate) is_idle: bool,
    next_start: Option<Instant>,
    failures: u32,
    failing_since: Option<Instant>,
}

type Effect = Box<dyn FnOnce(&Shared) + Send>;

pub(crate) struct State {
    pub(crate) settings: Arc<Settings>,
    /// What is sent to one worker at once, by the number of its first task.
    pub(crate) queue: BTreeMap<u64, VecDeque<Job>>,
    pub(crate) slots: Vec<Slot>,
    /// Each wakes the supervisor of a slot.
    pub(crate) wakers: Vec<Arc<Waker>>,
    pub(crate) ledger: Ledger,
    /// Why new tasks are refused, if they are.
    pub(crate) closed: Option<TaskError>,
    /// Whether those that were submitted end, too.
    pub(crate) is_over: bool,
    was_ready: bool,
    /// How many supervisors have not ended.
    supervisors: usize,
    /// What is to be done once no lock is held.
    effects: Vec<Effect>,
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
        write!(f, "{:?}: {:?}", self.settings.functions, self.ledger())
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let limit = settings.queue_limit.map_or(usize::MAX, NonZeroUsize::get);
        let supervisors = settings.workers.get();
        let settings = Arc::new(settings);
        let wakers = iter::repeat_with(|| Waker::new().map(Arc::new));
        let state = State {
            settings: Arc::clone(&settings),
            queue: BTreeMap::new(),
            slots: iter::repeat_with(Slot::default).take(supervisors).collect(),
            wakers: wakers.take(supervisors).collect::<io::Result<_>>()?,
            ledger: Ledger::default(),
            closed: None,
            is_over: false,
            was_ready: false,
            supervisors,
            effects: Vec::new(),
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
        let effects = mem::take(&mut state.effects);
        drop(state);
        effects.into_iter().for_each(|effect| effect(self));
        result
    }

    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.state).ledger
    }

    /// Queues what is to be sent to one worker at once.
    pub(crate) fn add(&self, jobs: VecDeque<Job>) {
        let numbers = jobs.iter().map(|job| job.task);
        numbers.for_each(|task| self.settings.notify(Event::Submitted(task)));
        self.change(|state| state.add(jobs));
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
        let mut order = Vec::new();
        if let Err(reason) = wire::encode(&mut order, (task, kind), input) {
            let mut state = lock(&self.state);
            state.ledger.submitted += 1;
            state.ledger.failed += 1;
            drop(state);
            reply(task, Err(not_encoded(Payload::Input, reason)));
            return (task, None);
        }
        (task, Some(Job::new(task, order, reply)))
    }
}

impl State {
    /// Does something once no lock is held: it concerns the caller's code.
    fn later(&mut self, effect: impl FnOnce(&Shared) + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if self.settings.hook.is_some() {
            let event = event();
            self.later(move |shared| shared.settings.notify(event));
        }
    }

    /// Ends a task.
    pub(crate) fn settle(&mut self, job: Job, outcome: Outcome) {
        let count = match &outcome {
            Ok(answer) if answer.is_value() => &mut self.ledger.done,
            Err(TaskError::Cancelled) => &mut self.ledger.cancelled,
            _ => &mut self.ledger.failed,
        };
        *count += 1;
        self.later(move |_| {
            drop(job.permit);
            (job.reply)(job.task, outcome);
        });
        // The supervisors of a closed pool end their workers when its last task has ended.
        if self.closed.is_some() && self.ledger.balances() {
            self.wake_all();
        }
    }

    /// Ends tasks without a value.
    fn fail(&mut self, jobs: impl IntoIterator<Item = Job>, error: &TaskError) {
        let jobs = jobs.into_iter();
        jobs.for_each(|job| self.settle(job, Err(error.clone())));
    }

    fn add(&mut self, jobs: VecDeque<Job>) {
        self.ledger.submitted += jobs.len() as u64;
        match self.closed.clone() {
            Some(error) => self.fail(jobs, &error),
            None => self.queue_up(jobs),
        }
    }

    /// Queues what is to be sent at once, and wakes an idle worker's supervisor for it.
    fn queue_up(&mut self, jobs: VecDeque<Job>) {
        if let Some(first) = jobs.front() {
            self.queue.insert(first.task, jobs);
            self.wake_idle();
        }
    }

    /// The next task, if it is one that may be sent ahead, and no idle worker could begin it.
    pub(crate) fn take_ahead(&mut self) -> Option<Job> {
        let (_, jobs) = self.queue.first_key_value()?;
        let all_are_busy = self.slots.iter().all(|slot| !slot.is_idle);
        let may_go = all_are_busy && jobs.len() == 1 && jobs[0].is_small();
        may_go.then(|| self.queue.pop_first()?.1.pop_front())?
    }

    /// Has an idle worker's supervisor take something from the queue, if it has something.
    pub(crate) fn wake_idle(&mut self) {
        let mut slots = self.slots.iter_mut().zip(&self.wakers);
        if !self.queue.is_empty()
            && let Some((slot, waker)) = slots.find(|(slot, _)| slot.is_idle)
        {
            slot.is_idle = false;
            waker.wake();
        }
    }

    pub(crate) fn wake_all(&self) {
        self.wakers.iter().for_each(|waker| waker.wake());
    }

    /// A worker begins what it has.
    pub(crate) fn begin(&mut self, worker: WorkerId) {
        if let Some(job) = self.slots[worker.slot].jobs.front_mut() {
            let (task, permit) = (job.task, job.permit.take());
            if permit.is_some() {
                self.later(|_| drop(permit));
            }
            self.note(|| Event::Begun(worker, task));
        }
    }

    /// Settles the answer to the task that a worker has begun.
    pub(crate) fn answer(&mut self, worker: WorkerId, answer: Message, note: Vec<u8>) {
        let slot = &mut self.slots[worker.slot];
        slot.failures = 0;
        slot.failing_since = None;
        if let Some(job) = slot.jobs.pop_front() {
            let task = job.task;
            self.note(|| Event::Done { worker, task, note });
            let is_cancelled = job.is_cancelled;
            let outcome = (!is_cancelled).then_some(answer);
            self.settle(job, outcome.ok_or(TaskError::Cancelled));
            self.begin(worker);
        }
    }

    /// Takes a job back that no worker has begun.
    pub(crate) fn requeue(&mut self, job: Job) {
        match self.closed.clone() {
            _ if job.is_cancelled => self.settle(job, Err(TaskError::Cancelled)),
            Some(error) if self.is_over => self.settle(job, Err(error)),
            _ => self.queue_up([job].into()),
        }
    }

    /// Settles the task that a lost worker had begun, or queues it again.
    pub(crate) fn lose(&mut self, mut job: Job, error: impl FnOnce(u32) -> TaskError) {
        job.attempts += 1;
        match error(job.attempts) {
            _ if job.is_cancelled => self.settle(job, Err(TaskError::Cancelled)),
            TaskError::WorkerLost { .. } if job.attempts <= self.settings.retries => {
                self.ledger.retried += 1;
                self.requeue(job);
            }
            error => self.settle(job, Err(error)),
        }
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64) -> bool {
        if let Some(jobs) = self.queue.remove(&task) {
            self.fail(jobs, &TaskError::Cancelled);
            return true;
        }
        for (slot, waker) in self.slots.iter_mut().zip(&self.wakers) {
            if let Some(job) = slot.jobs.iter_mut().find(|job| job.task == task) {
                // Its supervisor takes it back, or ends the worker that has begun it.
                job.is_cancelled = true;
                waker.wake();
                return true;
            }
        }
        false
    }

    /// Cancels what waits in the queue for a reader that is gone.
    pub(crate) fn cancel_all_of(&mut self, reader: usize) {
        let unwanted = self
            .queue
            .extract_if(.., |_, jobs| jobs[0].reader == reader);
        let unwanted: Vec<_> = unwanted.flat_map(|(_, jobs)| jobs).collect();
        self.fail(unwanted, &TaskError::Cancelled);
    }

    /// Whether a task has not ended.
    pub(crate) fn has(&self, task: u64) -> bool {
        let mut sent = self.slots.iter().flat_map(|slot| &slot.jobs);
        self.queue.contains_key(&task) || sent.any(|job| job.task == task)
    }

    /// Has a slot's worker killed; its supervisor sees that.
    pub(crate) fn kill(&mut self, at: usize) {
        let child = self.slots[at].child.as_mut();
        child.into_iter().for_each(Child::start_killing);
    }

    /// Takes no more tasks; the workers end when those that were submitted have ended.
    pub(crate) fn close(&mut self) {
        self.closed.get_or_insert(TaskError::Cancelled);
        self.later(|shared| shared.room.open());
        self.wake_all();
    }

    /// Ends what waits, and kills all workers, before any of them is reaped.
    pub(crate) fn end(&mut self, error: TaskError) {
        if self.is_over {
            return;
        }
        self.closed = Some(error.clone());
        self.close();
        self.is_over = true;
        (0..self.slots.len()).for_each(|at| self.kill(at));
        let waiting = mem::take(&mut self.queue).into_values().flatten();
        self.fail(waiting, &error);
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: PoolError) {
        let source = Arc::new(reason);
        self.end(TaskError::PoolBroken { source });
        self.later(|shared| shared.started.open());
    }

    /// Whether dead workers are replaced, and idle ones kept.
    pub(crate) fn wants_workers(&self) -> bool {
        !self.is_over && (self.closed.is_none() || !self.ledger.balances())
    }

    /// When a slot is to start its next worker; never, if nothing.
    pub(crate) fn next_start(&self, at: usize) -> Option<Instant> {
        self.wants_workers()
            .then(|| self.slots[at].next_start.unwrap_or_else(Instant::now))
    }

    /// A worker is ready.
    pub(crate) fn greet(&mut self, at: usize) {
        self.slots[at].is_ready = true;
        if !self.was_ready && self.slots.iter().all(|slot| slot.is_ready) {
            self.was_ready = true;
            self.later(|shared| shared.started.open());
        }
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(&mut self, at: usize, reason: PoolError) {
        let now = Instant::now();
        let slot = &mut self.slots[at];
        let back_off = FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.next_start = Some(now + back_off.min(LONGEST_BACK_OFF));
        slot.failures += 1;
        let slot_fails = slot.failures >= START_ATTEMPTS;
        let since = *slot.failing_since.get_or_insert(now);
        let is_shortage = matches!(reason, PoolError::Refused { is_shortage, .. } if is_shortage);
        let may_pass = self.was_ready && is_shortage && now - since < self.settings.start_limit;
        let failed = |slot: &Slot| slot.failures >= START_ATTEMPTS && !slot.is_ready;
        if slot_fails && !may_pass && (!self.was_ready || self.slots.iter().all(failed)) {
            self.give_up(reason);
        }
    }

    /// A slot's supervisor ends.
    pub(crate) fn leave(&mut self) {
        self.supervisors -= 1;
        if self.supervisors == 0 {
            self.later(|shared| shared.ended.open());
        }
    }
}
