//! What a pool, its handles and its thread share.

use crate::{
    Ledger, TaskError,
    builder::Settings,
    child::ends::Waker,
    job::{Effects, Job, Reply},
    oneshot::{Arrival, OneShot, lock},
    room::Ticket,
    state::{Phase, State},
    stream::Stream,
};
use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) state: Mutex<State>,
    pub(crate) waker: Waker,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let settings = Arc::new(settings);
        Ok(Self {
            state: Mutex::new(State::new(Arc::clone(&settings))),
            waker: Waker::new()?,
            settings,
        })
    }

    /// Changes the state; what concerns the caller's code happens when the lock is free again.
    fn change<R>(&self, change: impl FnOnce(&mut State, &mut Effects) -> R) -> R {
        let mut effects = Effects::default();
        let mut state = lock(&self.state);
        let result = change(&mut state, &mut effects);
        // The thread, if it is awake, looks at everything before it sleeps.
        let is_asleep = state.sleeps_until.is_some();
        let wakes = is_asleep && std::mem::take(&mut state.wants_look);
        drop(state);
        if wakes {
            self.waker.wake();
        }
        result
    }

    /// Queues tasks that have room there; returns the number of the first.
    pub(crate) fn add(&self, tasks: u32, input: Vec<u8>, reply: Reply) -> u64 {
        self.change(|state, effects| state.add(|id| Job::new(id, tasks, input, reply), effects))
    }

    /// Counts a task whose input could not be encoded, and gives its place back.
    pub(crate) fn refuse(&self) -> u64 {
        let task = lock(&self.state).refuse();
        self.give_back_room();
        task
    }

    pub(crate) fn received(&self, task: u64) {
        if let Some(recorder) = &self.settings.recorder {
            recorder.received(task);
        }
    }

    pub(crate) fn try_take_room(&self) -> bool {
        lock(&self.state).room.try_take()
    }

    pub(crate) fn give_back_room(&self) {
        self.change(|state, effects| effects.wakes.extend(state.room.give_back()));
    }

    fn get_in_line(&self) -> Option<Ticket> {
        let mut state = lock(&self.state);
        (!state.room.try_take()).then(|| state.room.wait())
    }

    /// Waits for room in the queue.
    pub(crate) fn take_room(&self) {
        if let Some(ticket) = self.get_in_line() {
            ticket.granted.wait();
        }
    }

    /// Waits for room in the queue; dropped before that, it leaves the line.
    pub(crate) async fn take_room_async(&self) {
        if let Some(ticket) = self.get_in_line() {
            let mut in_line = InLine {
                shared: self,
                ticket,
                is_granted: false,
            };
            Arrival(&in_line.ticket.granted).await;
            in_line.is_granted = true;
        }
    }

    pub(crate) fn cancel(&self, task: u64) -> bool {
        self.change(|state, effects| state.cancel(task, effects))
    }

    pub(crate) fn cancel_stream(&self, stream: &Arc<Stream>) {
        self.change(|state, effects| state.cancel_stream(stream, effects));
    }

    /// Takes a result that cannot be decoded back from the ledger's `done`.
    pub(crate) fn recount_as_failed(&self) {
        let mut state = lock(&self.state);
        state.ledger.done -= 1;
        state.ledger.failed += 1;
    }

    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.state).ledger
    }

    /// Takes no more tasks, and stops after `limit`, if there is one.
    pub(crate) fn finish(&self, limit: Option<Duration>) {
        self.change(|state, effects| {
            if state.phase == Phase::Open {
                state.phase = Phase::Finishing;
            }
            effects.wakes.extend(state.room.open());
            let stop_at = limit.map(|limit| Instant::now() + limit);
            state.stop_at = stop_at.or(state.stop_at);
            state.wants_look = true;
        });
    }

    pub(crate) fn stop(&self) {
        self.change(|state, effects| state.stop(effects));
    }

    /// Something to wait for until no worker is left.
    pub(crate) fn end(&self) -> Arc<OneShot<()>> {
        let end = Arc::<OneShot<()>>::default();
        let mut state = lock(&self.state);
        if state.has_ended {
            drop(state);
            end.put(());
        } else {
            state.waiting_for_end.push(Arc::clone(&end));
        }
        end
    }
}

/// A place in line that is given up when it is dropped.
struct InLine<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    is_granted: bool,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        if self.is_granted {
            return;
        }
        let left = lock(&self.shared.state).room.leave(&self.ticket);
        if !left {
            // It was granted meanwhile.
            self.shared.give_back_room();
        }
    }
}

/// The error of a task that has none of its own.
pub(crate) fn unanswered() -> TaskError {
    crate::event_loop::lost()
}
