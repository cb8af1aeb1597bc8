//! Who has a worker: its manager, nobody, or a thread that calls it.

use super::{Hand, Next, Part, Phase, Shared, State, lock};
use crate::remote::Remote;
use std::{
    mem,
    sync::{Arc, MutexGuard, PoisonError},
};

/// Where a worker is.
#[derive(Debug, Default)]
pub(super) enum Seat {
    /// In the hands of its manager, or not there.
    #[default]
    Managed,
    /// Idle: whoever has a task for it takes it.
    Resting(Remote),
    /// For its manager to take, which has something to do.
    Called(Remote),
    /// In the hands of a thread that called it.
    Lent,
    /// Lost by the thread that had it.
    Lost,
}

impl State {
    /// Wakes the manager of `slot` if its worker rests.
    fn call(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        slot.seat = match mem::take(&mut slot.seat) {
            Seat::Resting(worker) => {
                slot.bell.notify_one();
                Seat::Called(worker)
            }
            other => other,
        };
    }

    /// How many workers have nothing to do and are not in their managers' hands.
    fn idle(&self) -> usize {
        let seats = self.slots.iter().map(|slot| &slot.seat);
        seats
            .filter(|seat| matches!(seat, Seat::Resting(_) | Seat::Called(_)))
            .count()
    }

    /// Takes up to `wanted` tasks off the queue for `worker`.
    fn deal_to(&mut self, worker: &Remote, wanted: usize) -> Hand {
        let hand = self.deal(wanted);
        let slot = &mut self.slots[worker.slot()];
        slot.tasks = hand.parts().map(Part::tasks).collect();
        slot.last_order = hand.len();
        hand
    }
}

impl Shared {
    /// Wakes as many managers as have idle workers and something to do.
    pub(super) fn rouse(&self, mut state: MutexGuard<'_, State>, tasks: usize) {
        for _ in 0..tasks {
            let Some(slot) = state.resting.pop() else {
                break;
            };
            state.call(slot);
        }
    }

    /// Wakes all managers: the pool's phase has changed.
    pub(super) fn rouse_all(&self) {
        self.rouse(lock(&self.state), usize::MAX);
    }

    /// Waits for what the manager that has `worker`, which is idle, should do.
    pub(in super::super) fn next(&self, mut worker: Remote) -> Next {
        let index = worker.slot();
        let mut state = lock(&self.state);
        let mut at_once = true;
        loop {
            match state.phase {
                Phase::Stopping | Phase::Broken(_) => return Next::End(worker),
                Phase::Finishing if state.queue.is_empty() => return Next::End(worker),
                Phase::Open | Phase::Finishing => {}
            }
            if !state.queue.is_empty() {
                break;
            }
            at_once = false;
            state.slots[index].seat = Seat::Resting(worker);
            state.resting.push(index);
            let bell = Arc::clone(&state.slots[index].bell);
            worker = loop {
                state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                let seat = &mut state.slots[index].seat;
                match mem::take(seat) {
                    Seat::Called(worker) => break worker,
                    Seat::Lost => return Next::Gone,
                    other => *seat = other,
                }
            };
        }
        // One that has just reported a task is alive, or its next order tells.
        let doubtful = worker.is_new() || !at_once;
        if let Some(exit) = doubtful.then(|| worker.try_wait()).flatten() {
            // Reaped: its id may soon name another process.
            state.slots[index].pid = None;
            // Another worker may be idle and alive.
            self.rouse(state, 1);
            return Next::Dead {
                worker,
                exit,
                at_once,
            };
        }
        let wanted = if !self.settings.in_batches() || self.timeline.is_some() {
            1
        } else {
            let workers = self.settings.workers.get();
            let idle = 1 + state.idle();
            state.slots[index].order_size(state.queued, workers, idle)
        };
        let hand = state.deal_to(&worker, wanted);
        if self.settings.queue_limit.is_some() {
            self.tell(state);
        }
        Next::Work(worker, hand)
    }

    /// Lends an idle worker, with the tasks in `part` as its own, to the calling thread; queues the tasks
    /// when there is none.
    pub(super) fn lend(
        &self,
        mut state: MutexGuard<'_, State>,
        part: Part,
    ) -> Option<(Loan<'_>, Hand)> {
        let resting = match state.queue.is_empty() {
            true => state.resting.last().copied(),
            false => None,
        };
        let seat = resting.map(|slot| (slot, mem::take(&mut state.slots[slot].seat)));
        match seat {
            Some((slot, Seat::Resting(worker))) if worker.try_wait().is_none() => {
                state.resting.pop();
                state.put(part);
                let hand = state.deal_to(&worker, 1);
                state.slots[slot].seat = Seat::Lent;
                drop(state);
                let loan = Loan {
                    shared: self,
                    worker: Some(worker),
                    is_fit: None,
                };
                return Some((loan, hand));
            }
            // A dead one is replaced by its manager.
            Some((slot, seat)) => state.slots[slot].seat = seat,
            None => {}
        }
        state.put(part);
        self.rouse(state, 1);
        None
    }

    /// Takes back a worker that was lent; `None` stands for one that was lost.
    fn seat(&self, slot: usize, worker: Option<Remote>) {
        let mut state = lock(&self.state);
        let is_needed = state.phase != Phase::Open || !state.queue.is_empty();
        let own = &mut state.slots[slot];
        own.seat = worker.map_or(Seat::Lost, Seat::Resting);
        own.tasks.clear();
        if matches!(own.seat, Seat::Lost) {
            own.bell.notify_one();
        } else if is_needed {
            state.call(slot);
        } else {
            state.resting.push(slot);
        }
    }
}

/// A worker in the hands of a thread that is not its manager; given back in the end.
#[derive(Debug)]
pub(in super::super) struct Loan<'a> {
    shared: &'a Shared,
    worker: Option<Remote>,
    /// Whether it can have other tasks, once it was run.
    is_fit: Option<bool>,
}

impl Loan<'_> {
    /// Has an order done on this thread and settles it.
    pub(in super::super) fn run(mut self, hand: Hand) {
        if let Some(worker) = &mut self.worker {
            self.is_fit = Some(worker.run(self.shared, hand));
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        let slot = worker.slot();
        let is_fit = self.is_fit.unwrap_or_else(|| {
            // A panic between its order and its answer, as from whoever records: it is of no use now.
            worker.put_down(self.shared);
            false
        });
        self.shared.seat(slot, is_fit.then_some(worker));
    }
}
