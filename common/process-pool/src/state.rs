//! All that a pool's threads share, under one lock: the queue, and what each worker has of it.
//!
//! Nothing here runs code of the caller; what concerns the caller goes into [`Effects`].

use crate::{
    Ledger, PoolError, TaskError, WorkerId, WorkerStartError,
    builder::Settings,
    child::Waker,
    job::{Effects, Job, Output, Reply, Started},
    room::Room,
    stream::Flow,
    wait::OneShot,
};
use std::{
    collections::{BTreeMap, VecDeque},
    io, iter, mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// After so many failed starts in a row a slot has failed.
const START_ATTEMPTS: u32 = 3;
const FIRST_BACK_OFF: Duration = Duration::from_millis(10);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// No new tasks; those that were submitted are done.
    Finishing,
    /// No new tasks; all others are cancelled.
    Stopping,
    Broken(Arc<WorkerStartError>),
}

/// A worker's place in the pool. Only its supervisor starts and ends the worker, and sends it tasks.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) supervisor: Arc<Waker>,
    /// The worker, once it is ready.
    pub(crate) pid: Option<u32>,
    /// What the worker has, in order; at most the first is begun.
    pub(crate) sent: VecDeque<Job>,
    /// Whether the worker has nothing to do, and its supervisor was not woken.
    pub(crate) is_idle: bool,
    /// Whether its supervisor has ended.
    is_over: bool,
    pub(crate) startup: Option<Duration>,
    next_start: Instant,
    failures: u32,
    failing_since: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct State {
    settings: Arc<Settings>,
    pub(crate) phase: Phase,
    pub(crate) queue: BTreeMap<u64, Job>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) ledger: Ledger,
    room: Arc<Room>,
    /// Put when all workers are ready for the first time, or none ever will.
    pub(crate) started: Arc<OneShot<Started>>,
    was_ready: bool,
    pub(crate) stop_at: Option<Instant>,
    /// What to wake when no worker is left.
    pub(crate) waiting_for_end: Vec<Arc<OneShot<()>>>,
}

impl State {
    pub(crate) fn new(settings: Arc<Settings>, room: Arc<Room>) -> io::Result<Self> {
        let slot = || {
            Ok(Slot {
                supervisor: Arc::new(Waker::new()?),
                pid: None,
                sent: VecDeque::new(),
                is_idle: false,
                is_over: false,
                startup: None,
                next_start: Instant::now(),
                failures: 0,
                failing_since: None,
            })
        };
        let slots = iter::repeat_with(slot).take(settings.workers.get());
        Ok(Self {
            phase: Phase::Open,
            queue: BTreeMap::new(),
            slots: slots.collect::<io::Result<_>>()?,
            ledger: Ledger::default(),
            room,
            started: Arc::default(),
            was_ready: false,
            stop_at: None,
            waiting_for_end: Vec::new(),
            settings,
        })
    }

    /// Why tasks end that no worker has, if they do.
    fn refusal(&self) -> Option<TaskError> {
        match &self.phase {
            Phase::Open => None,
            Phase::Broken(reason) => Some(TaskError::PoolBroken {
                source: Arc::clone(reason),
            }),
            Phase::Finishing | Phase::Stopping => Some(TaskError::Cancelled),
        }
    }

    pub(crate) fn fail(&mut self, mut job: Job, error: &TaskError, effects: &mut Effects<'_>) {
        let tasks = u64::from(job.unanswered());
        match error {
            TaskError::Cancelled => self.ledger.cancelled += tasks,
            _ => self.ledger.failed += tasks,
        }
        effects.permits.extend(job.permit.take());
        effects.fail(&mut job, error);
    }

    /// Queues tasks, or refuses them.
    pub(crate) fn add(&mut self, job: Job, effects: &mut Effects<'_>) {
        self.ledger.submitted += u64::from(job.order.tasks);
        match self.refusal() {
            Some(error) => self.fail(job, &error, effects),
            None => {
                self.queue.insert(job.order.id, job);
                self.wake_idle(effects);
            }
        }
    }

    /// Has an idle worker take something from the queue, if it has something.
    pub(crate) fn wake_idle(&mut self, effects: &mut Effects<'_>) {
        if self.queue.is_empty() {
            return;
        }
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.is_idle) {
            slot.is_idle = false;
            effects.wakes.push(Arc::clone(&slot.supervisor));
        }
    }

    pub(crate) fn wake_all(&self, effects: &mut Effects<'_>) {
        let all = self.slots.iter().map(|slot| Arc::clone(&slot.supervisor));
        effects.wakes.extend(all);
    }

    /// Takes the next job for a worker; one to be sent ahead only if it is small enough, and no
    /// other worker goes without.
    pub(crate) fn take_job(&mut self, ahead_bytes: Option<usize>) -> Option<Job> {
        let (_, job) = self.queue.first_key_value()?;
        if let Some(most) = ahead_bytes {
            let without = |slot: &&Slot| slot.pid.is_some() && slot.sent.is_empty();
            let others = self.slots.iter().filter(without).count();
            if job.message.len() > most || self.queue.len() <= others {
                return None;
            }
        }
        self.queue.pop_first().map(|(_, job)| job)
    }

    /// Settles what a worker reports; whether that ends a job, nothing when it fits nothing that
    /// the worker has.
    pub(crate) fn answer(
        &mut self,
        at: usize,
        id: u64,
        output: Output,
        effects: &mut Effects<'_>,
    ) -> Option<bool> {
        let (tasks, failed) = (output.tasks, output.failed);
        let slot = &mut self.slots[at];
        let job = slot.sent.front_mut()?;
        if job.order.id != id || tasks > job.unanswered() {
            return None;
        }
        let outcome = if job.cancelled {
            self.ledger.cancelled += u64::from(tasks);
            Err(TaskError::Cancelled)
        } else {
            self.ledger.failed += u64::from(failed);
            self.ledger.done += u64::from(tasks - failed);
            Ok(output)
        };
        effects.answer(job, outcome);
        job.answered += tasks;
        job.attempts = 0;
        slot.failures = 0;
        slot.failing_since = None;
        let is_over = job.unanswered() == 0;
        if is_over {
            slot.sent.pop_front();
        }
        Some(is_over)
    }

    /// Takes a job back that a worker has not begun.
    pub(crate) fn requeue(&mut self, job: Job, effects: &mut Effects<'_>) {
        match self.refusal() {
            _ if job.cancelled => self.fail(job, &TaskError::Cancelled, effects),
            Some(error) if self.phase != Phase::Finishing => self.fail(job, &error, effects),
            _ => drop(self.queue.insert(job.order.id, job)),
        }
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64, effects: &mut Effects<'_>) -> bool {
        if let Some(job) = self.queue.remove(&task) {
            self.fail(job, &TaskError::Cancelled, effects);
            return true;
        }
        for slot in &mut self.slots {
            let is_it = |job: &&mut Job| job.order.id == task && job.order.tasks == 1;
            if let Some(job) = slot.sent.iter_mut().find(is_it) {
                job.cancelled = true;
                effects.wakes.push(Arc::clone(&slot.supervisor));
                return true;
            }
        }
        false
    }

    /// Cancels what waits in the queue of a stream that nobody reads any more.
    pub(crate) fn cancel_stream(&mut self, flow: &Arc<Flow>, effects: &mut Effects<'_>) {
        let (unwanted, queue) = mem::take(&mut self.queue).into_iter().partition(
            |(_, job)| matches!(&job.reply, Reply::Stream(to) if Arc::ptr_eq(&to.flow, flow)),
        );
        self.queue = queue;
        for (_, job) in BTreeMap::into_iter(unwanted) {
            self.fail(job, &TaskError::Cancelled, effects);
        }
    }

    /// Takes no more tasks, and stops after `limit`, if there is one.
    pub(crate) fn finish(&mut self, limit: Option<Duration>, effects: &mut Effects<'_>) {
        if self.phase == Phase::Open {
            self.phase = Phase::Finishing;
        }
        effects.open = Some(Arc::clone(&self.room));
        let stop_at = limit.and_then(|limit| Instant::now().checked_add(limit));
        self.stop_at = stop_at.or(self.stop_at);
        self.wake_all(effects);
    }

    /// Ends what waits, and has all supervisors kill their workers, each before it reaps.
    fn end(&mut self, phase: Phase, effects: &mut Effects<'_>) {
        self.phase = phase;
        let error = self.refusal().unwrap_or(TaskError::Cancelled);
        for (_, job) in mem::take(&mut self.queue) {
            self.fail(job, &error, effects);
        }
        effects.open = Some(Arc::clone(&self.room));
        self.wake_all(effects);
    }

    /// Cancels what waits and runs.
    pub(crate) fn stop(&mut self, effects: &mut Effects<'_>) {
        if self.phase == Phase::Open || self.phase == Phase::Finishing {
            self.end(Phase::Stopping, effects);
        }
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: WorkerStartError, effects: &mut Effects<'_>) {
        if self.phase != Phase::Stopping {
            let source = reason.clone();
            let result = Err(PoolError::Broken { source });
            effects.started = Some((Arc::clone(&self.started), result));
            self.end(Phase::Broken(Arc::new(reason)), effects);
        }
    }

    /// Whether dead workers are replaced, and idle ones kept.
    pub(crate) fn wants_workers(&self) -> bool {
        match self.phase {
            Phase::Open => true,
            Phase::Finishing => {
                !self.queue.is_empty() || self.slots.iter().any(|slot| !slot.sent.is_empty())
            }
            Phase::Stopping | Phase::Broken(_) => false,
        }
    }

    /// When a slot is to start its next worker; never, if nothing.
    pub(crate) fn next_start(
        &mut self,
        slot: usize,
        effects: &mut Effects<'_>,
    ) -> Option<Duration> {
        self.wake_idle(effects);
        if !self.wants_workers() {
            self.wake_all(effects);
            return None;
        }
        let now = Instant::now();
        if self.stop_at.is_some_and(|stop_at| stop_at <= now) {
            self.stop(effects);
            return None;
        }
        let at = self.slots[slot].next_start;
        let at = self.stop_at.map_or(at, |stop_at| stop_at.min(at));
        Some(at.saturating_duration_since(now))
    }

    /// A worker is ready.
    pub(crate) fn greet(&mut self, worker: WorkerId, took: Duration, effects: &mut Effects<'_>) {
        let WorkerId { pid, slot } = worker;
        let slot = &mut self.slots[slot];
        slot.pid = Some(pid);
        slot.startup.get_or_insert(took);
        if !self.was_ready && self.slots.iter().all(|slot| slot.pid.is_some()) {
            self.was_ready = true;
            effects.started = Some((Arc::clone(&self.started), Ok(())));
        }
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(
        &mut self,
        at: usize,
        reason: WorkerStartError,
        is_shortage: bool,
        effects: &mut Effects<'_>,
    ) {
        let now = Instant::now();
        let slot = &mut self.slots[at];
        let back_off = FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.next_start = now + back_off.min(LONGEST_BACK_OFF);
        slot.failures += 1;
        let slot_fails = slot.failures >= START_ATTEMPTS;
        let since = *slot.failing_since.get_or_insert(now);
        let may_pass = self.was_ready && is_shortage && now - since < self.settings.start_limit;
        let failed = |slot: &Slot| slot.failures >= START_ATTEMPTS && slot.pid.is_none();
        if slot_fails && !may_pass && (!self.was_ready || self.slots.iter().all(failed)) {
            self.give_up(reason, effects);
        }
    }

    /// A slot's supervisor ends.
    pub(crate) fn leave(&mut self, slot: usize, effects: &mut Effects<'_>) {
        self.slots[slot].is_over = true;
        if self.has_ended() {
            effects.over.append(&mut self.waiting_for_end);
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.slots.iter().all(|slot| slot.is_over)
    }
}
