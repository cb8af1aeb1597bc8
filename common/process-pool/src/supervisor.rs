//! One thread for each slot of a pool: it starts a worker, sends it tasks, hears and ends it,
//! and starts the next one.

mod loss;
mod start;

use crate::{
    Event, TaskError, WorkerStartError,
    child::{Line, PACKET_BYTES, Waker},
    job::{Effects, Output},
    remote::{END_LIMIT, Ending, Heard, Worker},
    shared::Shared,
    state::{Phase, State},
    task,
    wire::{self, Order, Report},
};
use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);

thread_local! {
    static IS_SUPERVISOR: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a pool's.
pub(crate) fn is_one() -> bool {
    IS_SUPERVISOR.get()
}

/// Looks after a slot until the pool has ended.
pub(crate) fn run(shared: &Shared, slot: usize) {
    IS_SUPERVISOR.set(true);
    guard(shared, slot, || {
        let waker = {
            let state = crate::wait::lock(&shared.state);
            Arc::clone(&state.slots[slot].supervisor)
        };
        let settings = &shared.settings;
        while let Some(limit) = shared.change(|state, effects| state.next_start(slot, effects)) {
            if !limit.is_zero() {
                Line::wait(None, &waker, false, Some(limit));
                continue;
            }
            match start::start(settings, slot) {
                Ok(worker) => {
                    shared.change(|state, _| state.ledger.workers_started += 1);
                    Supervisor { shared, worker }.attend(&waker);
                }
                Err(error) => shared.change(|state, effects| {
                    let reason = WorkerStartError::Refused(settings.program.refusal(&error));
                    state.fail_start(slot, reason, start::is_shortage(&error), effects);
                }),
            }
        }
    });
}

/// Without one of its threads a pool cannot serve: it reports that instead of letting its callers wait.
fn guard(shared: &Shared, slot: usize, work: impl FnOnce()) {
    let worked = panic::catch_unwind(AssertUnwindSafe(work));
    shared.change(|state, effects| {
        if worked.is_err() {
            state.slots[slot].pid = None;
            state.give_up(WorkerStartError::ThreadLost, effects);
            for job in std::mem::take(&mut state.slots[slot].sent) {
                let source = Arc::new(WorkerStartError::ThreadLost);
                state.fail(job, &TaskError::PoolBroken { source }, effects);
            }
        }
        state.leave(slot, effects);
    });
}

/// A worker, from its start to its end.
struct Supervisor<'a> {
    shared: &'a Shared,
    worker: Worker,
}

impl Supervisor<'_> {
    fn attend(mut self, waker: &Waker) {
        let mut limit = Some(Duration::ZERO);
        let shared = self.shared;
        loop {
            let worker = &mut self.worker;
            let seen = Line::wait(Some(&worker.line), waker, worker.wants_room(), limit);
            if seen.room {
                worker.send_more();
            }
            let heard = worker.hear(seen);
            let next = shared.change(|state, effects| {
                self.settle(state, heard, effects);
                if seen.end
                    && let Some(exit) = self.worker.child.try_wait()
                {
                    self.settle_end(state, exit, effects);
                    return None;
                }
                let next = self.turn(state, effects);
                Some((
                    next,
                    self.worker
                        .rest(state.slots[self.worker.id.slot].sent.front()),
                ))
            });
            let Some((next, rest)) = next else { return };
            if let Some(rest) = rest {
                thread::sleep(rest);
            }
            limit = next.map(|at| at.saturating_duration_since(Instant::now()));
        }
    }

    fn settle(&mut self, state: &mut State, heard: Heard, effects: &mut Effects<'_>) {
        let now = Instant::now();
        let mut makes_sense = heard.makes_sense;
        for (report, output) in heard.reports {
            makes_sense = makes_sense && !self.worker.is_mute;
            makes_sense = makes_sense && self.settle_one(state, (report, output), now, effects);
        }
        let worker = &mut self.worker;
        if !makes_sense && worker.ending.is_none() {
            let is_ready = state.slots[worker.id.slot].pid.is_some();
            let ending = if is_ready {
                Ending::Lost
            } else {
                Ending::Unfit(WorkerStartError::NotUnderstood)
            };
            worker.kill(ending, now);
            // Nothing that it says from now on counts.
            worker.is_mute = true;
            worker.line.silence();
        }
        if heard.is_at_end {
            worker.fall_silent(now);
        }
    }

    /// Settles one message; whether it makes sense.
    fn settle_one(
        &mut self,
        state: &mut State,
        (report, output): (Report, Output),
        now: Instant,
        effects: &mut Effects<'_>,
    ) -> bool {
        let is_ready = state.slots[self.worker.id.slot].pid.is_some();
        match report {
            Report::Hello { types, note } if !self.worker.has_greeted => {
                self.worker.has_greeted = true;
                self.greet(state, (types, note), now, effects)
            }
            Report::Done { id, .. } if id == Order::INITIAL => {
                let is_awaited = self.worker.has_greeted && !is_ready;
                if is_awaited {
                    self.initialise(state, &output, now, effects);
                }
                is_awaited
            }
            Report::Done { id, note, .. } if !self.worker.wants_room() => {
                let worker = self.worker.id;
                let note = note.unwrap_or_default();
                let task = id;
                effects.note(|| Event::Done { worker, task, note });
                let tasks = output.tasks;
                let is_over = state.answer(worker.slot, id, output, effects);
                self.worker.note_pace(tasks, now);
                if is_over == Some(true) {
                    self.worker.waits_since = now;
                    self.begin(state, effects);
                }
                is_over.is_some()
            }
            _ => false,
        }
    }

    /// The worker can serve, once it is initialised.
    fn greet(
        &mut self,
        state: &mut State,
        (types, note): (Vec<String>, Vec<u8>),
        now: Instant,
        effects: &mut Effects<'_>,
    ) -> bool {
        let (worker, took) = (self.worker.id, now - self.worker.spawned);
        let settings = &self.shared.settings;
        if types != settings.types() {
            let reason = WorkerStartError::OtherTypes(types.join(", "));
            state.give_up(reason, effects);
            return true;
        }
        effects.note(|| Event::Ready { worker, took, note });
        match &settings.initial {
            Some(message) => self.worker.send(Arc::clone(message)),
            None => {
                state.greet(worker, took, effects);
                true
            }
        }
    }

    /// The initialiser has ended, well or not.
    fn initialise(
        &mut self,
        state: &mut State,
        output: &Output,
        now: Instant,
        effects: &mut Effects<'_>,
    ) {
        match task::decode::<()>(wire::take(&mut output.records())) {
            Ok(()) => state.greet(self.worker.id, now - self.worker.spawned, effects),
            Err(error) => {
                let reason = WorkerStartError::Initialiser(error.to_string());
                self.worker.kill(Ending::Unfit(reason), now);
            }
        }
    }

    /// The first task that the worker has is begun, if it has any.
    fn begin(&mut self, state: &mut State, effects: &mut Effects<'_>) {
        if let Some(job) = state.slots[self.worker.id.slot].sent.front_mut() {
            effects.note(|| Event::Begun(self.worker.id, job.task()));
            effects.permits.extend(job.permit.take());
        }
    }

    /// Does what is due; returns when to look again.
    fn turn(&mut self, state: &mut State, effects: &mut Effects<'_>) -> Option<Instant> {
        let now = Instant::now();
        if state.stop_at.is_some_and(|stop_at| stop_at <= now) {
            state.stop_at = None;
            state.stop(effects);
        }
        if self.worker.ending.is_none() {
            if matches!(state.phase, Phase::Stopping | Phase::Broken(_)) {
                self.worker.kill(Ending::Dismissed, now);
            } else if !state.wants_workers() {
                self.worker.dismiss(now);
                // Whoever sees first that nothing is left to do wakes the others.
                state.wake_all(effects);
            }
        }
        let own = match state.slots[self.worker.id.slot].pid {
            _ if self.worker.ending.is_some() => None,
            Some(_) => self.serve(state, now, effects),
            None => {
                let limit = self.shared.settings.start_limit;
                let at = self.worker.spawned + limit;
                if at <= now {
                    let reason = WorkerStartError::NotReady(limit);
                    self.worker.kill(Ending::Unfit(reason), now);
                }
                Some(at)
            }
        };
        let worker = &mut self.worker;
        let mut next = [state.stop_at, own].into_iter().flatten().min();
        let mut look_at = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let slot = &mut state.slots[worker.id.slot];
        slot.is_idle = slot.pid.is_some() && slot.sent.is_empty() && worker.ending.is_none();
        if let Some((_, deadline)) = &mut worker.ending {
            if *deadline <= now {
                *deadline = now + END_LIMIT;
                worker.child.start_killing();
            }
            look_at(*deadline);
        }
        let every = worker.line.look_every(worker.ending.is_some());
        every.into_iter().for_each(|every| look_at(now + every));
        state.wake_idle(effects);
        next
    }

    /// Gives a ready worker its tasks, and takes them away; returns when to look again.
    fn serve(
        &mut self,
        state: &mut State,
        now: Instant,
        effects: &mut Effects<'_>,
    ) -> Option<Instant> {
        let (timeout, slot) = (self.shared.settings.timeout, self.worker.id.slot);
        let takes_long = |worker: &Worker| worker.waits_since + TAKE_BACK_AFTER;
        let sent = &state.slots[slot].sent;
        let is_unwanted = sent.iter().any(|job| job.cancelled);
        let is_behind = sent.len() > 1 && self.worker.pace.is_some();
        if is_unwanted || is_behind && takes_long(&self.worker) <= now {
            for job in self.worker.take_back(&mut state.slots[slot].sent, false) {
                state.requeue(job, effects);
            }
            self.worker.pace = None;
            let begun = state.slots[slot].sent.front();
            if begun.is_some_and(|job| job.cancelled) {
                self.worker.kill(Ending::Lost, now);
                return None;
            }
        }
        self.feed(state, now, effects);
        let (worker, sent) = (&mut self.worker, &state.slots[slot].sent);
        if sent.is_empty() {
            return None;
        }
        let limit = timeout.map(|limit| worker.began + limit);
        if limit.is_some_and(|limit| limit <= now) {
            worker.kill(Ending::TimedOut, now);
        }
        let is_behind = sent.len() > 1 && worker.pace.is_some();
        let long = is_behind.then(|| takes_long(worker));
        limit.into_iter().chain(long).min()
    }

    /// Sends the worker what it can have.
    fn feed(&mut self, state: &mut State, now: Instant, effects: &mut Effects<'_>) {
        let most = self.shared.settings.tasks_per_worker;
        let worker = &mut self.worker;
        let slot = worker.id.slot;
        loop {
            let sent = &state.slots[slot].sent;
            let is_used_up = most.is_some_and(|most| worker.given >= most.get());
            if is_used_up && sent.is_empty() {
                worker.dismiss(now);
            }
            let is_first = sent.is_empty();
            if is_used_up || !is_first && !worker.may_have_more(sent) {
                return;
            }
            let Some(job) = state.take_job((!is_first).then_some(PACKET_BYTES)) else {
                return;
            };
            worker.waits_since = now;
            if is_first {
                worker.began = now;
            }
            if !worker.send(Arc::clone(&job.message)) {
                return state.requeue(job, effects);
            }
            worker.given += u64::from(job.order.tasks);
            state.slots[slot].sent.push_back(job);
            if is_first {
                self.begin(state, effects);
                return self.feed(state, now, effects);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProcessPool, Worker as Function, child::Program};
    use std::num::NonZeroUsize;

    #[test]
    fn a_pool_that_loses_a_thread_leaves_no_task_waiting() {
        const NEVER: Function<u8, u8> = Function::new("never", |n| n);
        let one = NEVER.pool_builder().workers(NonZeroUsize::MIN);
        let settings = one.program(Program::at("/none")).into_settings();
        let shared = Arc::new(Shared::new(settings).expect("pipes"));
        let pool = ProcessPool::<u8, u8>::new(Arc::clone(&shared));
        let (waiting, sent) = (pool.submit(1), pool.submit(2));
        shared.change(|state, _| {
            let job = state.queue.remove(&sent.id()).expect("it waits");
            state.slots[0].sent.push_back(job);
        });
        guard(&shared, 0, || panic!("on purpose"));
        let lost = TaskError::PoolBroken {
            source: Arc::new(WorkerStartError::ThreadLost),
        };
        let outcomes = [waiting.wait(), sent.wait(), pool.call(3)];
        assert!(
            outcomes
                .into_iter()
                .all(|outcome| outcome == Err(lost.clone()))
        );
        assert!(pool.shutdown().balances());
    }
}
