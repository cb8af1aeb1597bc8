//! What a pool, its handles and its threads hold together.

use super::{Job, Reply, Slot, State};
use crate::{
    Event, Ledger,
    builder::Settings,
    child::Waker,
    supervisor,
    sync::{Permit, Room, lock},
    wire::Order,
};
use std::{
    collections::BTreeMap,
    fmt, io, iter, mem,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// What callers wait for.
#[derive(Clone)]
pub(crate) struct Gates {
    /// Room in the queue.
    pub(crate) queue: Arc<Room>,
    /// Opened when all workers are ready for the first time, or none ever will be.
    pub(crate) started: Arc<Room>,
    /// Opened when no worker is left.
    pub(crate) ended: Arc<Room>,
}

/// What a pool, its handles and its threads share.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) gates: Gates,
    next_task: AtomicU64,
    pub(crate) state: Mutex<State>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("Pool")
            .field("functions", &self.settings.functions)
            .field("ledger", &state.ledger)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let limit = settings.queue_limit.map_or(usize::MAX, NonZeroUsize::get);
        let gates = Gates {
            queue: Room::new(limit),
            started: Room::new(0),
            ended: Room::new(0),
        };
        let settings = Arc::new(settings);
        let supervisors = settings.workers.get();
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
            gates: gates.clone(),
        };
        Ok(Self {
            settings,
            gates,
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
        effects.into_iter().for_each(|effect| effect());
        result
    }

    /// Queues tasks, or gives them to a worker that is lent to this thread; returns the number of
    /// the first.
    pub(crate) fn add(
        &self,
        (tasks, mut message): (u32, Vec<u8>),
        (reply, reader): (Reply, Option<usize>),
        permit: Option<Permit>,
        lends: bool,
    ) -> u64 {
        let first = self.next_task.fetch_add(tasks.into(), Ordering::Relaxed);
        Order::number(&mut message, first);
        (first..first + u64::from(tasks))
            .for_each(|task| self.settings.notify(Event::Submitted(task)));
        let mut job = Job::new(first, tasks, message, reply);
        (job.permit, job.reader) = (permit, reader);
        if let Some(worker) = self.change(|state| state.add(job, lends)) {
            supervisor::serve_lent(self, worker);
        }
        first
    }

    /// Counts a task that came to nothing before it was queued.
    pub(crate) fn refuse(&self) -> u64 {
        let ledger = &mut lock(&self.state).ledger;
        ledger.submitted += 1;
        ledger.failed += 1;
        self.next_task.fetch_add(1, Ordering::Relaxed)
    }
}
