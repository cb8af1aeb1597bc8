//! All that a pool knows, under one lock: the queue, the workers and what each of them has.
//!
//! Nothing here runs code of the caller; what concerns the caller goes into [`Effects`].

mod life;
mod remote;

pub(crate) use remote::{Ending, Worker};

use crate::{
    Ledger, PoolError, TaskError, WorkerStartError,
    builder::Settings,
    job::{Effects, Job, Output},
    oneshot::OneShot,
    room::Room,
    stream::Stream,
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    Open,
    /// No new tasks; those that were submitted are done.
    Finishing,
    /// No new tasks; all others are cancelled.
    Stopping,
    Broken(Arc<WorkerStartError>),
}

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) worker: Option<Worker>,
    pub(crate) next_start: Instant,
    failures: u32,
    failing_since: Option<Instant>,
    startup: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct State {
    settings: Arc<Settings>,
    pub(crate) phase: Phase,
    queue: BTreeMap<u64, Job>,
    next_task: u64,
    pub(crate) slots: Vec<Slot>,
    pub(crate) ledger: Ledger,
    pub(crate) room: Room,
    /// Put when all workers are ready for the first time, or none ever will.
    pub(crate) started: Arc<OneShot<Result<(), PoolError>>>,
    was_ready: bool,
    pub(crate) stop_at: Option<Instant>,
    /// Whom to tell when no worker is left.
    pub(crate) waiting_for_end: Vec<Arc<OneShot<()>>>,
    pub(crate) has_ended: bool,
    /// Until when the pool's thread sleeps unless it is woken; `None` while it does not sleep.
    pub(crate) sleeps_until: Option<Instant>,
    /// Whether the pool's thread is to look before that.
    pub(crate) wants_look: bool,
}

impl State {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let now = Instant::now();
        let slot = |_| Slot {
            worker: None,
            next_start: now,
            failures: 0,
            failing_since: None,
            startup: None,
        };
        Self {
            phase: Phase::Open,
            queue: BTreeMap::new(),
            next_task: 0,
            slots: (0..settings.workers.get()).map(slot).collect(),
            ledger: Ledger::default(),
            room: Room::new(settings.queue_limit.map(Into::into)),
            started: Arc::default(),
            was_ready: false,
            stop_at: None,
            waiting_for_end: Vec::new(),
            has_ended: false,
            sleeps_until: None,
            wants_look: false,
            settings,
        }
    }

    fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.slots.iter().filter_map(|slot| slot.worker.as_ref())
    }

    fn workers_mut(&mut self) -> impl Iterator<Item = &mut Worker> {
        let slots = self.slots.iter_mut();
        slots.filter_map(|slot| slot.worker.as_mut())
    }

    pub(crate) fn ready_workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers()
            .filter(|worker| worker.is_ready && worker.ending.is_none())
    }

    pub(crate) fn startup(&self) -> Vec<Duration> {
        self.slots.iter().filter_map(|slot| slot.startup).collect()
    }

    /// Why a new task ends at once, if it does.
    fn refusal(&self) -> Option<TaskError> {
        match &self.phase {
            Phase::Open => None,
            Phase::Broken(reason) => Some(TaskError::PoolBroken {
                source: Arc::clone(reason),
            }),
            Phase::Finishing | Phase::Stopping => Some(TaskError::Cancelled),
        }
    }

    fn fail(&mut self, mut job: Job, error: &TaskError, effects: &mut Effects) {
        let tasks = u64::from(job.unanswered());
        match error {
            TaskError::Cancelled => self.ledger.cancelled += tasks,
            _ => self.ledger.failed += tasks,
        }
        self.give_back_place(&mut job, effects);
        effects.fail(&mut job, error);
    }

    fn give_back_place(&mut self, job: &mut Job, effects: &mut Effects) {
        if std::mem::take(&mut job.has_place) {
            effects.wakes.extend(self.room.give_back());
        }
    }

    /// Numbers a job's tasks, and queues or refuses it; returns the first number.
    pub(crate) fn add(&mut self, make: impl FnOnce(u64) -> Job, effects: &mut Effects) -> u64 {
        let id = self.next_task;
        let job = make(id);
        self.next_task += u64::from(job.tasks);
        self.ledger.submitted += u64::from(job.tasks);
        match self.refusal() {
            Some(error) => self.fail(job, &error, effects),
            None => {
                if let Some(recorder) = &self.settings.recorder {
                    (id..self.next_task).for_each(|task| recorder.submitted(task));
                }
                self.queue.insert(id, job);
                self.dispatch(effects);
            }
        }
        id
    }

    /// Counts a task that came to nothing before it was queued.
    pub(crate) fn refuse(&mut self) -> u64 {
        self.next_task += 1;
        self.ledger.submitted += 1;
        self.ledger.failed += 1;
        self.next_task - 1
    }

    /// Sends workers what they can have.
    pub(crate) fn dispatch(&mut self, effects: &mut Effects) {
        while let Some((_, job)) = self.queue.first_key_value() {
            let is_small = Worker::is_small(job);
            let Some(slot) = self.choose_worker(is_small) else {
                break;
            };
            let Some((_, job)) = self.queue.pop_first() else {
                break;
            };
            let now = Instant::now();
            let record = self.settings.recorder.is_some();
            let Some(worker) = self.slots[slot].worker.as_mut() else {
                break;
            };
            if let Some(job) = worker.send(job, record, now) {
                // Its pipe is full.
                self.queue.insert(job.id, job);
                break;
            }
            let worker_looks_at = match worker.sent.len() {
                _ if worker.partly_sent.is_some() => Some(now),
                1 => self.settings.timeout.map(|limit| now + limit),
                _ => Some(worker.began + TAKE_BACK_AFTER),
            };
            if worker.sent.len() == 1 {
                self.begin(slot, effects);
            }
            if let Some((at, sleeps_until)) = worker_looks_at.zip(self.sleeps_until) {
                self.wants_look |= at < sleeps_until;
            }
        }
    }

    /// An idle worker, or one that is quick and has the fewest tasks.
    fn choose_worker(&self, is_small: bool) -> Option<usize> {
        let most = self.settings.tasks_per_worker;
        let mut best: Option<(usize, usize)> = None;
        for (place, slot) in self.slots.iter().enumerate() {
            let Some(worker) = &slot.worker else { continue };
            let is_used_up = most.is_some_and(|most| worker.tasks_given >= most.get());
            if !worker.is_ready || worker.ending.is_some() || worker.is_mute || is_used_up {
                continue;
            }
            let sent = worker.sent.len();
            if sent == 0 {
                return Some(place);
            }
            let has_room = is_small && sent <= worker.ahead();
            if has_room && best.is_none_or(|(fewest, _)| sent < fewest) {
                best = Some((sent, place));
            }
        }
        best.map(|(_, place)| place)
    }

    /// The first task that this worker has is begun.
    fn begin(&mut self, slot: usize, effects: &mut Effects) {
        let Some(worker) = self.slots[slot].worker.as_mut() else {
            return;
        };
        if let Some(recorder) = &self.settings.recorder {
            // The earlier one first: it takes down what this one puts up.
            worker.busy = None;
            worker.busy = Some(recorder.busy(worker.pid, slot));
        }
        if let Some(job) = worker.sent.front_mut()
            && std::mem::take(&mut job.has_place)
        {
            effects.wakes.extend(self.room.give_back());
        }
    }

    /// Settles what a worker reports; `false` when it fits nothing that the worker has.
    pub(crate) fn answer(
        &mut self,
        slot: usize,
        (id, failed): (u64, u32),
        output: Output,
        effects: &mut Effects,
    ) -> bool {
        let now = Instant::now();
        let Some(worker) = self.slots[slot].worker.as_mut() else {
            return false;
        };
        let tasks = output.tasks;
        let Some(job) = worker.sent.front_mut() else {
            return false;
        };
        let fits = job.id == id && (1..=job.unanswered()).contains(&tasks) && failed <= tasks;
        if !fits || worker.partly_sent.is_some() {
            return false;
        }
        let took = (now - worker.began) / tasks;
        worker.pace = Some(worker.pace.map_or(took, |pace| (pace * 3 + took) / 4));
        worker.began = now;
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
        let is_over = job.unanswered() == 0;
        if is_over {
            worker.sent.pop_front();
            worker.busy = None;
            if worker.sent.is_empty() {
                let most = self.settings.tasks_per_worker;
                if most.is_some_and(|most| worker.tasks_given >= most.get()) {
                    worker.dismiss(now);
                }
            } else {
                self.begin(slot, effects);
            }
        }
        let slot = &mut self.slots[slot];
        slot.failures = 0;
        slot.failing_since = None;
        true
    }

    /// A worker's first message has come.
    pub(crate) fn greet(&mut self, slot: usize, took: Duration) {
        let slot = &mut self.slots[slot];
        if let Some(worker) = &mut slot.worker {
            worker.is_ready = true;
            slot.startup.get_or_insert(took);
        }
        if !self.was_ready && self.ready_workers().count() == self.slots.len() {
            self.was_ready = true;
            self.started.put(Ok(()));
        }
    }

    /// Takes back into the queue what a worker has not begun.
    fn take_back(&mut self, slot: usize) {
        let Some(worker) = self.slots[slot].worker.as_mut() else {
            return;
        };
        for job in worker.take_back(false) {
            self.queue.insert(job.id, job);
        }
        if worker.sent.is_empty() {
            worker.busy = None;
        }
        worker.pace = None;
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64, effects: &mut Effects) -> bool {
        let has_it = |worker: &Worker| {
            worker
                .sent
                .iter()
                .any(|job| job.id == task && job.tasks == 1)
        };
        let at = |slot: &Slot| slot.worker.as_ref().is_some_and(has_it);
        if let Some(slot) = self.slots.iter().position(at) {
            self.take_back(slot);
            if let Some(worker) = self.slots[slot].worker.as_mut()
                && let Some(job) = worker.sent.iter_mut().find(|job| job.id == task)
            {
                job.cancelled = true;
                worker.kill(Ending::Lost, Instant::now());
                self.wants_look = true;
                self.dispatch(effects);
                return true;
            }
        }
        let job = self.queue.remove(&task);
        let was_waiting = job.is_some();
        if let Some(job) = job {
            self.fail(job, &TaskError::Cancelled, effects);
        }
        self.dispatch(effects);
        was_waiting
    }

    /// Cancels what is not begun of a stream that nobody reads any more.
    pub(crate) fn cancel_stream(&mut self, stream: &Arc<Stream>, effects: &mut Effects) {
        for slot in 0..self.slots.len() {
            self.take_back(slot);
        }
        let (unwanted, queue) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|(_, job)| job.is_of(stream));
        self.queue = queue;
        for (_, job) in BTreeMap::into_iter(unwanted) {
            self.fail(job, &TaskError::Cancelled, effects);
        }
        self.dispatch(effects);
    }
}
