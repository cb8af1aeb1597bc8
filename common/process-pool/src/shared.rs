//! What a pool, its handles and its threads share.

use crate::{
    Event,
    builder::Settings,
    job::{Effects, Job},
    room::Room,
    state::State,
    wait::lock,
};
use std::{
    io,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) room: Arc<Room>,
    next_task: AtomicU64,
    pub(crate) state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let settings = Arc::new(settings);
        let room = Room::new(settings.queue_limit.map_or(usize::MAX, NonZeroUsize::get));
        let state = State::new(Arc::clone(&settings), Arc::clone(&room))?;
        Ok(Self {
            settings,
            room,
            next_task: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    /// Changes the state; what concerns the caller's code happens when the lock is free again.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State, &mut Effects<'_>) -> R) -> R {
        let mut effects = Effects::new(&self.settings);
        let mut state = lock(&self.state);
        let result = change(&mut state, &mut effects);
        drop(state);
        result
    }

    /// Queues tasks; returns the number of the first.
    pub(crate) fn add(&self, mut job: Job) -> u64 {
        let tasks = u64::from(job.order.tasks);
        let id = self.next_task.fetch_add(tasks, Ordering::Relaxed);
        job.number(id, self.settings.hook.is_some());
        (id..id + tasks).for_each(|task| self.settings.notify(Event::Submitted(task)));
        self.change(|state, effects| state.add(job, effects));
        id
    }

    /// Counts a task that came to nothing before it was queued.
    pub(crate) fn refuse(&self) -> u64 {
        let ledger = &mut lock(&self.state).ledger;
        ledger.submitted += 1;
        ledger.failed += 1;
        self.next_task.fetch_add(1, Ordering::Relaxed)
    }
}
