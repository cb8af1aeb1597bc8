//! All that a pool's threads share, under one lock: the queue, and what each worker has of it.
//!
//! Nothing here runs code of the caller; what concerns the caller is done [later](State::later).

mod job;
mod shared;

pub(crate) use job::{Job, Outcome, Output, Reply};
pub(crate) use shared::{Gates, Shared};

use crate::{
    Event, Ledger, TaskError, WorkerId, WorkerStartError,
    builder::Settings,
    child::{Child, Waker},
    sync::Room,
    worker::Worker,
};
use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
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
    /// The worker, when it has nothing to do; whoever takes it out gives it a job.
    pub(crate) idle: Option<Box<Worker>>,
    /// Whether the supervisor was woken to take the worker.
    pub(crate) is_woken: bool,
    pub(crate) startup: Option<Duration>,
    next_start: Option<Instant>,
    failures: u32,
    failing_since: Option<Instant>,
}

pub(crate) struct State {
    pub(crate) settings: Arc<Settings>,
    pub(crate) queue: BTreeMap<u64, Job>,
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
    effects: Vec<Box<dyn FnOnce() + Send>>,
    gates: Gates,
}

impl State {
    /// Does something once no lock is held: it concerns the caller's code.
    fn later(&mut self, effect: impl FnOnce() + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    fn open(&mut self, gate: fn(&Gates) -> &Arc<Room>) {
        let gate = Arc::clone(gate(&self.gates));
        self.later(move || gate.open());
    }

    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        if self.settings.hook.is_some() {
            let (settings, event) = (Arc::clone(&self.settings), event());
            self.later(move || settings.notify(event));
        }
    }

    /// Ends all unanswered tasks of a job.
    pub(crate) fn fail(&mut self, mut job: Job, error: &TaskError) {
        match error {
            TaskError::Cancelled => self.ledger.cancelled += u64::from(job.unanswered()),
            _ => self.ledger.failed += u64::from(job.unanswered()),
        }
        while job.unanswered() > 0 {
            self.put(&mut job, 1, Err(error.clone()));
        }
        self.later(|| drop(job));
        self.look_whether_all_is_done();
    }

    /// Has the outcome of the next tasks of a job delivered.
    fn put(&mut self, job: &mut Job, tasks: u32, outcome: Outcome) {
        let (place, task) = (job.place + job.answered as usize, job.task());
        let reply = Arc::clone(&job.reply);
        self.later(move || reply(place, task, outcome));
        job.answered += tasks;
    }

    /// Has the supervisors end their workers when the last task of a closed pool has ended.
    fn look_whether_all_is_done(&self) {
        if self.closed.is_some() && self.ledger.balances() {
            self.wake_all();
        }
    }

    /// Queues a job or refuses it; one that is not to wait may get an idle worker, to be served by
    /// the caller.
    fn add(&mut self, job: Job, lends: bool) -> Option<Box<Worker>> {
        self.ledger.submitted += u64::from(job.tasks);
        if let Some(error) = self.closed.clone() {
            self.fail(job, &error);
            return None;
        }
        // With a limit of tasks it is for the supervisor to see when that is reached.
        if lends && self.queue.is_empty() && self.settings.tasks_per_worker.is_none() {
            let mut idle = self.slots.iter_mut().filter_map(|slot| slot.idle.take());
            if let Some(mut worker) = idle.next() {
                worker.give(self, job);
                return Some(worker);
            }
        }
        self.queue.insert(job.first, job);
        self.wake_idle();
        None
    }

    /// Takes the next task to be sent ahead: a small one, and no other worker goes without.
    pub(crate) fn take_ahead(&mut self) -> Option<Job> {
        let (_, job) = self.queue.first_key_value()?;
        let idle = self.slots.iter().filter(|slot| slot.idle.is_some()).count();
        let may_go = job.is_small() && self.queue.len() > idle;
        may_go.then(|| self.queue.pop_first().map(|(_, job)| job))?
    }

    /// Has an idle worker's supervisor take something from the queue, if it has something.
    pub(crate) fn wake_idle(&mut self) {
        let mut slots = self.slots.iter_mut().zip(&self.wakers);
        if !self.queue.is_empty()
            && let Some((slot, waker)) =
                slots.find(|(slot, _)| slot.idle.is_some() && !slot.is_woken)
        {
            slot.is_woken = true;
            waker.wake();
        }
    }

    pub(crate) fn wake_all(&self) {
        self.wakers.iter().for_each(|waker| waker.wake());
    }

    /// A worker begins what it has.
    pub(crate) fn begin(&mut self, worker: WorkerId) {
        if let Some(job) = self.slots[worker.slot].jobs.front_mut() {
            let (task, permit) = (job.task(), job.permit.take());
            if permit.is_some() {
                self.later(|| drop(permit));
            }
            self.note(|| Event::Begun(worker, task));
        }
    }

    /// Settles the answers to the next tasks that a worker has.
    pub(crate) fn answer(&mut self, worker: WorkerId, failed: u32, output: Output) {
        let slot = &mut self.slots[worker.slot];
        slot.failures = 0;
        slot.failing_since = None;
        let Some(mut job) = slot.jobs.pop_front() else {
            return;
        };
        let tasks = output.tasks;
        let outcome = if job.is_cancelled {
            self.ledger.cancelled += u64::from(tasks);
            Err(TaskError::Cancelled)
        } else {
            self.ledger.failed += u64::from(failed);
            self.ledger.done += u64::from(tasks - failed);
            Ok(output)
        };
        self.put(&mut job, tasks, outcome);
        job.attempts = 0;
        if job.unanswered() > 0 {
            self.slots[worker.slot].jobs.push_front(job);
        }
        self.look_whether_all_is_done();
        self.begin(worker);
    }

    /// Takes a job back that no worker has begun.
    pub(crate) fn requeue(&mut self, job: Job) {
        match self.closed.clone() {
            _ if job.is_cancelled => self.fail(job, &TaskError::Cancelled),
            Some(error) if self.is_over => self.fail(job, &error),
            _ => {
                self.queue.insert(job.first, job);
                self.wake_idle();
            }
        }
    }

    /// Settles a job whose worker has ended; the rest of a chunk goes on one by one.
    pub(crate) fn lose(&mut self, job: Job, is_begun: bool, error: impl FnOnce(u32) -> TaskError) {
        let mut rest = job.into_singles().into_iter();
        let Some(mut job) = rest.next() else { return };
        rest.for_each(|other| self.requeue(other));
        if !is_begun {
            return self.requeue(job);
        }
        job.attempts += 1;
        let error = match error(job.attempts) {
            _ if job.is_cancelled => TaskError::Cancelled,
            TaskError::WorkerLost { .. } if job.attempts <= self.settings.retries => {
                self.ledger.retried += 1;
                return self.requeue(job);
            }
            error => error,
        };
        self.fail(job, &error);
    }

    /// Cancels a task; whether it will end as cancelled.
    pub(crate) fn cancel(&mut self, task: u64) -> bool {
        if let Some(job) = self.queue.remove(&task) {
            self.fail(job, &TaskError::Cancelled);
            return true;
        }
        for (slot, waker) in self.slots.iter_mut().zip(&self.wakers) {
            let mut jobs = slot.jobs.iter_mut();
            if let Some(job) = jobs.find(|job| job.first == task && job.tasks == 1) {
                // Its supervisor takes it back, or ends the worker that has begun it.
                job.is_cancelled = true;
                waker.wake();
                return true;
            }
        }
        false
    }

    /// Whether a task has not ended.
    pub(crate) fn has(&self, task: u64) -> bool {
        let mut sent = self.slots.iter().flat_map(|slot| &slot.jobs);
        self.queue.contains_key(&task) || sent.any(|job| job.first == task)
    }

    /// Has a slot's worker killed; its supervisor sees that.
    pub(crate) fn kill(&mut self, at: usize) {
        let child = self.slots[at].child.as_mut();
        child.into_iter().for_each(Child::start_killing);
    }

    /// Cancels what waits in the queue for a reader that is gone.
    pub(crate) fn cancel_all_of(&mut self, reader: Option<usize>) {
        let unwanted = self.queue.extract_if(.., |_, job| job.reader == reader);
        for (_, job) in unwanted.collect::<Vec<_>>() {
            self.fail(job, &TaskError::Cancelled);
        }
    }

    /// Takes no more tasks; the workers end when those that were submitted have ended.
    pub(crate) fn close(&mut self) {
        self.closed.get_or_insert(TaskError::Cancelled);
        self.open(|gates| &gates.queue);
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
        for (_, job) in mem::take(&mut self.queue) {
            self.fail(job, &error);
        }
    }

    /// The pool can go on no more.
    pub(crate) fn give_up(&mut self, reason: WorkerStartError) {
        let source = Arc::new(reason);
        self.end(TaskError::PoolBroken { source });
        self.open(|gates| &gates.started);
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
    pub(crate) fn greet(&mut self, at: usize, took: Duration) {
        let slot = &mut self.slots[at];
        slot.is_ready = true;
        slot.startup.get_or_insert(took);
        if !self.was_ready && self.slots.iter().all(|slot| slot.is_ready) {
            self.was_ready = true;
            self.open(|gates| &gates.started);
        }
    }

    /// A worker could not be started, or came to nothing.
    pub(crate) fn fail_start(&mut self, at: usize, reason: WorkerStartError, is_shortage: bool) {
        let now = Instant::now();
        let slot = &mut self.slots[at];
        let back_off = FIRST_BACK_OFF * 2_u32.pow(slot.failures.min(7));
        slot.next_start = Some(now + back_off.min(LONGEST_BACK_OFF));
        slot.failures += 1;
        let slot_fails = slot.failures >= START_ATTEMPTS;
        let since = *slot.failing_since.get_or_insert(now);
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
            self.open(|gates| &gates.ended);
        }
    }
}
