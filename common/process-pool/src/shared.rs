//! What the pool, its handles and its managers share: the queue, the workers, the ledger.
//!
//! One mutex guards all of it. Lock order: this state first, then a worker's process; nobody takes
//! the state while holding a process.

mod orders;
mod seats;
mod staff;

use super::{
    Ledger, TaskError,
    batch::{Hand, Part, Records},
    builder::Settings,
    remote::Remote,
    reply::Reply,
};
use crate::child::{Child, Exit};
use seats::{Loan, Seat};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use timeline::Timeline;

/// How many pools this process has had.
static POOLS: AtomicU64 = AtomicU64::new(0);

/// A worker's process; shared, because a manager waits for it while a canceller kills it.
pub(super) type Process = Arc<Mutex<Child>>;

/// Locks, whatever a panicking thread left behind: no update here is left half made.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a manager does next.
pub(super) enum Next {
    /// Run these.
    Work(Remote, Hand),
    /// Replace the worker, which is dead; `at_once` when it had no time to idle.
    Dead {
        worker: Remote,
        exit: Exit,
        at_once: bool,
    },
    /// Replace the worker, which another thread had and lost.
    Gone,
    /// End: no more tasks will come.
    End(Remote),
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
    seat: Seat,
    /// Rings for its manager when there is something in the seat for it.
    bell: Arc<Condvar>,
    process: Option<Process>,
    pid: Option<u32>,
    startup: Option<Duration>,
    /// The tasks that its worker has and has not reported, in order.
    tasks: VecDeque<Range<u64>>,
    /// Those among them that were cancelled: this worker is never given another.
    cancelled: Vec<u64>,
    /// How long a task takes, by its last order.
    pace: Option<Duration>,
    /// How many tasks its last order had.
    last_order: usize,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// By number: a task to be retried is older than all that wait, and goes first.
    queue: BTreeMap<u64, Part>,
    /// How many tasks wait in `queue`.
    queued: usize,
    /// The slots whose workers rest; the last one rests shortest.
    resting: Vec<usize>,
    next_task: u64,
    slots: Vec<Slot>,
    ledger: Ledger,
    waiting_submitters: Vec<oneshot::Sender<()>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// What records its workers and tasks.
    pub(super) timeline: Option<Timeline>,
    /// Its first job's number in a recording, where pools are told apart.
    first_job: u64,
    state: Mutex<State>,
    /// There is room in the queue, a worker is ready, or the phase changed.
    change: Condvar,
}

impl State {
    fn count(&mut self, error: &TaskError, tasks: usize) {
        match error {
            TaskError::Cancelled => self.ledger.cancelled += tasks as u64,
            _ => self.ledger.failed += tasks as u64,
        }
    }

    /// Gives tasks their numbers.
    fn number(&mut self, inputs: Records, reply: Reply) -> Part {
        let first = self.next_task;
        let tasks = inputs.len() as u64;
        self.next_task += tasks;
        self.ledger.submitted += tasks;
        Part::new(first, inputs, reply)
    }

    /// Queues new tasks, with those before them if they fit together.
    fn append(&mut self, part: Part) {
        let part = match self.queue.last_entry() {
            Some(mut last) => {
                let tasks = part.len();
                let left_over = last.get_mut().join(part);
                if left_over.is_none() {
                    self.queued += tasks;
                }
                left_over
            }
            None => Some(part),
        };
        if let Some(part) = part {
            self.put(part);
        }
    }

    fn put(&mut self, part: Part) {
        self.queued += part.len();
        self.queue.insert(part.first, part);
    }

    /// Takes what waits of the tasks in `wanted` out of the queue.
    fn take(&mut self, wanted: Range<u64>) -> Vec<Part> {
        let before = self.queue.range(..wanted.start).next_back();
        let from = before.map_or(wanted.start, |(first, _)| *first);
        let touched = self.queue.range(from..wanted.end);
        let touched: Vec<u64> = touched.map(|(first, _)| *first).collect();
        let mut taken = Vec::new();
        for first in touched {
            let Some(mut part) = self.queue.remove(&first) else {
                continue;
            };
            self.queued -= part.len();
            let skipped = wanted.start.saturating_sub(part.first) as usize;
            let mut inner = if skipped == 0 {
                Some(part)
            } else {
                let inner = part.split_off(skipped);
                self.put(part);
                inner
            };
            if let Some(inner) = &mut inner {
                let kept = wanted.end.saturating_sub(inner.first) as usize;
                if let Some(after) = inner.split_off(kept) {
                    self.put(after);
                }
            }
            taken.extend(inner);
        }
        taken
    }

    /// Ends every waiting task with `error`; the caller answers them without the lock.
    fn drain(&mut self, error: &TaskError) -> Vec<Part> {
        let parts: Vec<Part> = std::mem::take(&mut self.queue).into_values().collect();
        let tasks = std::mem::take(&mut self.queued);
        self.count(error, tasks);
        parts
    }
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let slots = (0..settings.workers.get())
            .map(|_| Slot::default())
            .collect();
        Self {
            settings,
            timeline: Timeline::current(),
            first_job: POOLS.fetch_add(1, Ordering::Relaxed) << 32,
            state: Mutex::new(State {
                phase: Phase::Open,
                queue: BTreeMap::new(),
                queued: 0,
                resting: Vec::new(),
                next_task: 0,
                slots,
                ledger: Ledger::default(),
                waiting_submitters: Vec::new(),
            }),
            change: Condvar::new(),
        }
    }

    /// The number under which a recording knows the task.
    pub(super) fn job(&self, task: u64) -> u64 {
        self.first_job + task
    }

    fn note_submitted(&self, part: &Part) {
        if let Some(timeline) = &self.timeline {
            part.tasks()
                .for_each(|task| timeline.submitted(self.job(task)));
        }
    }

    /// Takes note that somebody has the results of these tasks.
    #[inline]
    pub(super) fn note_received(&self, tasks: Range<u64>) {
        if let Some(timeline) = &self.timeline {
            tasks.for_each(|task| timeline.received(self.job(task)));
        }
    }

    fn is_full(&self, state: &State) -> bool {
        let limit = self.settings.queue_limit;
        state.phase == Phase::Open && limit.is_some_and(|limit| state.queued >= limit.get())
    }

    /// Queues tasks and returns the number of the first, waiting for room.
    pub(super) fn enqueue(&self, inputs: Records, reply: Reply) -> u64 {
        let state = self.with_room();
        self.admit(state, inputs, reply)
    }

    /// Queues a task if there is room.
    pub(super) fn try_enqueue(&self, inputs: Records, reply: Reply) -> Option<u64> {
        let state = lock(&self.state);
        (!self.is_full(&state)).then(|| self.admit(state, inputs, reply))
    }

    /// As [`enqueue`](Self::enqueue), unless a worker is idle: that one is lent, with the task, to the
    /// caller.
    pub(super) fn enqueue_or_lend(&self, input: Records, reply: Reply) -> Option<(Loan<'_>, Hand)> {
        let mut state = self.with_room();
        let part = state.number(input, reply);
        self.note_submitted(&part);
        if let Phase::Broken(reason) = &state.phase {
            let reason = reason.clone();
            self.decline(state, part, reason);
            return None;
        }
        self.lend(state, part)
    }

    fn with_room(&self) -> MutexGuard<'_, State> {
        self.change
            .wait_while(lock(&self.state), |state| self.is_full(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, mut state: MutexGuard<'_, State>, inputs: Records, reply: Reply) -> u64 {
        let part = state.number(inputs, reply);
        self.note_submitted(&part);
        let (first, tasks) = (part.first, part.len());
        if let Phase::Broken(reason) = &state.phase {
            let reason = reason.clone();
            self.decline(state, part, reason);
        } else {
            state.append(part);
            self.rouse(state, tasks);
        }
        first
    }

    /// Ends tasks that a broken pool was given.
    fn decline(&self, mut state: MutexGuard<'_, State>, part: Part, reason: String) {
        let error = TaskError::PoolBroken { reason };
        state.count(&error, part.len());
        drop(state);
        part.fail(&error);
    }

    /// Counts a task that never reached the queue, and answers it.
    pub(super) fn refuse(&self, error: TaskError, reply: Reply) -> u64 {
        let mut state = lock(&self.state);
        let task = state.next_task;
        state.next_task += 1;
        state.ledger.submitted += 1;
        state.count(&error, 1);
        drop(state);
        reply.fail(1, &error);
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
        let mut state = lock(&self.state);
        let waiting = state.take(task..task + 1);
        if !waiting.is_empty() {
            self.end_cancelled(state, waiting);
            return true;
        }
        let mut slots = state.slots.iter_mut();
        let has = |slot: &&mut Slot| slot.tasks.iter().any(|tasks| tasks.contains(&task));
        let Some(slot) = slots.find(has) else {
            return false;
        };
        slot.cancelled.push(task);
        let process = slot.process.clone();
        drop(state);
        if let Some(process) = process {
            lock(&process).kill();
        }
        true
    }

    /// Cancels what has not started of `tasks`; what runs, or ran, is left alone.
    pub(super) fn cancel_queued(&self, tasks: Range<u64>) {
        let mut state = lock(&self.state);
        let waiting = state.take(tasks);
        self.end_cancelled(state, waiting);
    }

    fn end_cancelled(&self, mut state: MutexGuard<'_, State>, parts: Vec<Part>) {
        let tasks = parts.iter().map(Part::len).sum();
        state.count(&TaskError::Cancelled, tasks);
        self.tell(state);
        for part in parts {
            part.fail(&TaskError::Cancelled);
        }
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

    /// How many tasks the largest of the workers' last orders had.
    pub(super) fn largest_order(&self) -> usize {
        let state = lock(&self.state);
        let orders = state.slots.iter().map(|slot| slot.last_order);
        orders.max().unwrap_or(0)
    }

    pub(super) fn startup(&self) -> Vec<Duration> {
        lock(&self.state)
            .slots
            .iter()
            .filter_map(|slot| slot.startup)
            .collect()
    }
}
