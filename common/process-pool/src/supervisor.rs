//! One thread for each slot of a pool: it starts a worker, sends it tasks, hears, ends and buries it,
//! and starts the next one.

mod loss;

use crate::{
    Event, TaskError, WorkerStartError,
    builder::Settings,
    child::{Child, Line, PACKET_BYTES, Waker},
    job::{Effects, Output},
    remote::{END_LIMIT, Ending, Heard, Worker},
    shared::Shared,
    state::{Phase, State},
    task,
    wire::{self, Order, Report},
};
use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// Tasks that wait behind one that takes so long go back to the queue.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(5);

/// Looks after a slot until the pool has ended.
pub(crate) fn run(shared: &Shared, slot: usize) {
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
            match start(settings, slot) {
                Ok(worker) => {
                    shared.change(|state, _| state.ledger.workers_started += 1);
                    Supervisor { shared, worker }.attend(&waker);
                }
                Err(error) => shared.change(|state, effects| {
                    let reason = WorkerStartError::Refused(settings.program.refusal(&error));
                    state.fail_start(slot, reason, is_shortage(&error), effects);
                }),
            }
        }
    });
}

/// Without one of its threads a pool serves nobody: it says so instead of letting everybody wait.
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

/// Starts a worker process; it is ready when its first message comes.
fn start(settings: &Settings, slot: usize) -> io::Result<Worker> {
    let spawned = Instant::now();
    let (child, offer) = Child::spawn(&settings.program, &settings.role(), |command| {
        command.envs(settings.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &settings.current_dir {
            command.current_dir(folder);
        }
    })?;
    for limit in &settings.limits {
        limit.apply(child.id())?;
    }
    let line = Line::new(offer, child.id())?;
    Ok(Worker::new(slot, child, line, spawned))
}

/// Whether there was too little of something, of which there may be more soon.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        let shortages = [Errno::EMFILE, Errno::ENFILE, Errno::EAGAIN, Errno::ENOMEM];
        let code = error.raw_os_error();
        code.is_some_and(|code| shortages.contains(&Errno::from_raw(code)))
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::OutOfMemory
    }
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
                    self.bury(state, exit, effects);
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
        let settings = &self.shared.settings;
        let worker = &mut self.worker;
        let slot = worker.id.slot;
        match report {
            Report::Hello { types, note } if !worker.has_greeted => {
                worker.has_greeted = true;
                if types != settings.types() {
                    let reason = WorkerStartError::OtherTypes(types.join(", "));
                    state.give_up(reason, effects);
                    return true;
                }
                let (worker_id, took) = (worker.id, now - worker.spawned);
                effects.note(|| Event::Ready {
                    worker: worker_id,
                    took,
                    note,
                });
                match &settings.initial {
                    Some(message) => return worker.send(Arc::clone(message)),
                    None => state.greet(slot, worker.id.pid, now - worker.spawned),
                }
                true
            }
            Report::Done { id, failed, .. }
                if id == Order::INITIAL && worker.is_awaited(state, slot) =>
            {
                if failed {
                    let error = task::decode::<()>(wire::take(&mut output.records())).err();
                    let message = error.map_or_else(String::new, |error| error.to_string());
                    let reason = WorkerStartError::Initialiser(message);
                    worker.kill(Ending::Unfit(reason), now);
                } else {
                    state.greet(slot, worker.id.pid, now - worker.spawned);
                }
                true
            }
            Report::Done { id, note, .. } => {
                if worker.wants_room() {
                    return false;
                }
                let worker_id = worker.id;
                effects.note(|| Event::Done {
                    worker: worker_id,
                    task: id,
                    note: note.unwrap_or_default(),
                });
                let tasks = output.tasks;
                let Some(is_over) = state.answer(slot, id, output, effects) else {
                    return false;
                };
                worker.note_pace(tasks, now);
                if is_over {
                    self.begin(state, effects);
                }
                true
            }
            Report::Hello { .. } => false,
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
                // Whoever sees first that nothing is left to do tells the others.
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
        let takes_long = |worker: &Worker| worker.began + TAKE_BACK_AFTER;
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
            if is_used_up || !is_first && sent.len() > worker.ahead(sent) {
                return;
            }
            let Some(job) = state.take_job((!is_first).then_some(PACKET_BYTES)) else {
                return;
            };
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
