//! One thread for each slot of a pool: it starts a worker, serves and ends it, and starts the next one.
//!
//! An idle worker lies in its slot. A caller that waits for one task may take it out and do there
//! what the supervisor would do, which spares two changes of threads.

use crate::{
    Event, WorkerId, WorkerStartError,
    child::{Child, Exit, Seen, Waker, Watch},
    state::Shared,
    sync::lock,
    wire::{Answer, MARK, NO_TASK, Tag},
    worker::Worker,
};
use std::{
    cell::Cell,
    io, mem,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

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
        let waker = Arc::clone(&lock(&shared.state).wakers[slot]);
        while let Some(start) = shared.change(|state| state.next_start(slot)) {
            if start > Instant::now() {
                waker.wait(&Watch::default(), Some(start));
                continue;
            }
            match Worker::start(shared, slot) {
                Ok(worker) => attend(shared, worker, &waker),
                Err((reason, is_shortage)) => shared.change(|state| {
                    if state.wants_workers() {
                        state.fail_start(slot, reason, is_shortage);
                    }
                }),
            }
        }
    });
}

/// Without one of its threads a pool cannot serve: it reports that instead of letting its callers wait.
fn guard(shared: &Shared, slot: usize, work: impl FnOnce()) {
    let worked = panic::catch_unwind(AssertUnwindSafe(work));
    let rest = shared.change(|state| {
        if worked.is_err() {
            state.give_up(WorkerStartError::ThreadLost);
            for job in mem::take(&mut state.slots[slot].jobs) {
                state.requeue(job);
            }
        }
        state.leave();
        let slot = &mut state.slots[slot];
        slot.is_ready = false;
        (slot.child.take(), slot.idle.take())
    });
    // Only now: it waits for the process.
    drop(rest);
}

/// Serves a slot's worker until that has ended.
fn attend(shared: &Shared, mut worker: Box<Worker>, waker: &Waker) {
    let (slot, watch) = (worker.id.slot, worker.line.watch.clone());
    let mut seen = Seen::Woken;
    while let Some(idle) = worker.work(shared, Some(waker), seen == Seen::End) {
        shared.change(|state| {
            state.slots[slot].idle = Some(idle);
            // Something may have come meanwhile.
            state.wake_idle();
        });
        worker = loop {
            seen = waker.wait(&watch, None);
            let (idle, is_gone) = shared.change(|state| {
                let slot = &mut state.slots[slot];
                slot.is_woken = false;
                (slot.idle.take(), slot.child.is_none())
            });
            match idle {
                Some(idle) => break idle,
                None if is_gone => return,
                // Whom it is lent to sees its end, too.
                None if seen == Seen::End => thread::sleep(Duration::from_millis(1)),
                None => {}
            }
        };
    }
}

/// Serves a worker on the thread that waits for the only task that it has.
pub(crate) fn serve_lent(shared: &Shared, worker: Box<Worker>) {
    let slot = worker.id.slot;
    let worker = worker.work(shared, None, false);
    shared.change(|state| {
        let is_wanted = worker.is_none() || !state.queue.is_empty() || state.closed.is_some();
        state.slots[slot].idle = worker;
        if is_wanted {
            state.wakers[slot].wake();
        }
    });
}

impl Worker {
    /// Starts a worker process and waits until it is ready.
    fn start(shared: &Shared, slot: usize) -> Result<Box<Self>, (WorkerStartError, bool)> {
        let spawned = Instant::now();
        let mut worker = Self::spawn(shared, slot).map_err(|error| {
            let reason = shared.settings.program.refusal(&error);
            (WorkerStartError::Refused(reason), is_shortage(&error))
        })?;
        let ready = worker.greet(shared, spawned);
        let Err(reason) = ready else {
            shared.change(|state| state.greet(slot, spawned.elapsed()));
            return Ok(worker);
        };
        let child = shared.change(|state| state.slots[slot].child.take());
        let exit = child.map_or(Exit::Code(-1), |mut child| child.kill());
        shared.change(|state| {
            state.note(|| Event::Gone(worker.id, exit, None));
            state.ledger.workers_lost += u64::from(!state.is_over);
        });
        Err((reason, false))
    }

    fn spawn(shared: &Shared, slot: usize) -> io::Result<Box<Self>> {
        let settings = &shared.settings;
        let (mut child, offer) = Child::spawn(&settings.program, &settings.role(), |command| {
            command.envs(settings.env.iter().map(|(name, value)| (name, value)));
            if let Some(folder) = &settings.current_dir {
                command.current_dir(folder);
            }
        })?;
        let pid = child.id();
        for limit in &settings.limits {
            limit.apply(pid)?;
        }
        let line = offer.line(pid)?;
        shared.change(|state| {
            state.ledger.workers_started += 1;
            if state.is_over {
                child.start_killing();
            }
            state.slots[slot].child = Some(child);
        });
        Ok(Box::new(Self::new(WorkerId { pid, slot }, line)))
    }

    /// Waits for the worker's first word, and initialises it.
    fn greet(&mut self, shared: &Shared, spawned: Instant) -> Result<(), WorkerStartError> {
        let settings = &shared.settings;
        let deadline = spawned + settings.start_limit;
        // A test program prints something first.
        while !self.incoming.skip_to(&MARK) {
            self.go_on(shared, deadline)?;
        }
        let (types, note) = self.answer(shared, deadline, |answer| {
            let types: Result<Vec<String>, _> = postcard::from_bytes(answer.payload);
            let types = types.ok().filter(|_| answer.tag == Tag::Hello)?;
            Some((types, answer.note.to_vec()))
        })?;
        if types != settings.types() {
            let reason = WorkerStartError::OtherTypes(types.join(", "));
            shared.change(|state| state.give_up(reason.clone()));
            return Err(reason);
        }
        let (worker, took) = (self.id, spawned.elapsed());
        shared.change(|state| state.note(|| Event::Ready { worker, took, note }));
        let Some(initial) = &settings.initial else {
            return Ok(());
        };
        self.message = Arc::clone(initial);
        let ended = self.answer(shared, deadline, |answer| Some(answer.decode::<()>()))?;
        ended.map_err(|error| WorkerStartError::Initialiser(error.to_string()))
    }

    /// Waits for an answer to what is no task.
    fn answer<T>(
        &mut self,
        shared: &Shared,
        deadline: Instant,
        read: impl Fn(Answer<'_>) -> Option<T>,
    ) -> Result<T, WorkerStartError> {
        loop {
            let place = self.incoming.next();
            let Ok(None) = place else {
                let place = place.ok().flatten();
                let answer = place.and_then(|place| Answer::read(self.incoming.bytes(place)));
                let answer = answer.filter(|answer| answer.task == NO_TASK);
                return answer.and_then(read).ok_or(WorkerStartError::NotUnderstood);
            };
            self.go_on(shared, deadline)?;
        }
    }

    fn go_on(&mut self, shared: &Shared, deadline: Instant) -> Result<(), WorkerStartError> {
        // One that has closed its link is about to end.
        let until = self.ending.map_or(deadline, |(_, at)| at.min(deadline));
        if until <= Instant::now() {
            return Err(WorkerStartError::NotReady(shared.settings.start_limit));
        }
        let ended = self.advance(shared, None, Some(until));
        ended.map_or(Ok(()), |exit| Err(WorkerStartError::Ended(exit)))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProcessPool, TaskError, Worker as Function, child::Program};
    use std::num::NonZeroUsize;

    #[test]
    fn a_pool_that_loses_a_thread_leaves_no_task_waiting() {
        const NEVER: Function<u8, u8> = Function::new("never", |n| n);
        let one = NEVER.pool_builder().workers(NonZeroUsize::MIN);
        let settings = one.program(Program::at("/none")).into_settings();
        let shared = Arc::new(Shared::new(settings).expect("pipes"));
        let pool = ProcessPool::<u8, u8>::new(Arc::clone(&shared));
        let (waiting, sent) = (pool.submit(1), pool.submit(2));
        shared.change(|state| {
            let job = state.queue.remove(&sent.id()).expect("it waits");
            state.slots[0].jobs.push_back(job);
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
