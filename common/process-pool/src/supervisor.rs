//! One thread for each slot of a pool: it starts a worker, serves and ends it, and starts the next one.

use crate::{
    Event, PoolError, WorkerId,
    child::{Child, Exit, Link, limit_resource},
    state::Shared,
    sync::lock,
    wire::{FAILURE, HELLO, MARK, NO_TASK, VALUE},
    worker::{END_LIMIT, Worker},
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
        while let Some(when) = shared.change(|state| state.next_start(slot)) {
            if when > Instant::now() {
                waker.wait(when);
                continue;
            }
            match start(shared, slot) {
                Ok(worker) => worker.serve(shared, &waker),
                Err(reason) => shared.change(|state| {
                    if state.wants_workers() {
                        state.fail_start(slot, reason);
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
            state.give_up(PoolError::ThreadLost);
            for job in mem::take(&mut state.slots[slot].jobs) {
                state.requeue(job);
            }
        }
        state.leave();
        let slot = &mut state.slots[slot];
        slot.is_ready = false;
        slot.child.take()
    });
    // Only now: it waits for the process.
    drop(rest);
}

/// Starts a worker process and waits until it is ready.
fn start(shared: &Shared, slot: usize) -> Result<Worker, PoolError> {
    let (settings, spawned) = (&shared.settings, Instant::now());
    let (mut child, link) = Child::start(&settings.program, &settings.role())
        .map_err(|error| PoolError::refused(&error, &error.source))?;
    let pid = child.id();
    shared.change(|state| {
        state.ledger.workers_started += 1;
        if state.is_over {
            child.start_killing();
        }
        state.slots[slot].child = Some(child);
    });
    let worker = WorkerId { pid, slot };
    let ready = greet(shared, worker, link, spawned);
    if ready.is_ok() {
        shared.change(|state| state.greet(slot));
    }
    ready.map_err(|reason| give_up(shared, worker, reason))
}

/// Waits for a worker's first word, and initialises it.
fn greet(
    shared: &Shared,
    worker: WorkerId,
    mut link: Link,
    spawned: Instant,
) -> Result<Worker, PoolError> {
    let settings = &shared.settings;
    for limit in &settings.limits {
        limit_resource(worker.pid, *limit).map_err(PoolError::no_room)?;
    }
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut => PoolError::NotReady(settings.start_limit),
        io::ErrorKind::InvalidData => PoolError::NotUnderstood,
        // How, will be seen.
        _ => PoolError::Ended(Exit::Code(-1)),
    };
    link.set_timeout(Some(settings.start_limit));
    // A test program prints something first.
    link.skip_to(&MARK).map_err(failed)?;
    let hello = link.expect(NO_TASK, &[HELLO]).map_err(failed)?;
    let (types, note): (Vec<String>, _) =
        postcard::from_bytes(hello.payload()).map_err(|_| PoolError::NotUnderstood)?;
    if types != settings.types() {
        let reason = PoolError::OtherTypes(types.join(", "));
        shared.change(|state| state.give_up(reason.clone()));
        return Err(reason);
    }
    let took = spawned.elapsed();
    shared.change(|state| state.note(|| Event::Ready { worker, took, note }));
    if let Some(initial) = &settings.initial {
        link.send_raw(initial).map_err(failed)?;
        let ended = link.expect(NO_TASK, &[VALUE, FAILURE]).map_err(failed)?;
        let ended = ended.decode::<()>();
        ended.map_err(|error| PoolError::Initialiser(error.to_string()))?;
    }
    Worker::new(worker, link).map_err(PoolError::no_room)
}

/// Ends a worker that did not get ready; returns why that was.
fn give_up(shared: &Shared, worker: WorkerId, reason: PoolError) -> PoolError {
    // One that has closed its link is about to end.
    let is_ending = matches!(reason, PoolError::Ended(_));
    let kill_at = Instant::now() + END_LIMIT * u32::from(is_ending);
    loop {
        let exit = shared.change(|state| {
            let child = state.slots[worker.slot].child.as_mut()?;
            if Instant::now() >= kill_at {
                child.start_killing();
            }
            let exit = child.try_wait()?;
            state.slots[worker.slot].child = None;
            state.ledger.workers_lost += u64::from(!state.is_over);
            state.note(|| Event::Gone(worker, exit, None));
            Some(exit)
        });
        match exit {
            Some(exit) if is_ending => return PoolError::Ended(exit),
            Some(_) => return reason,
            None => thread::sleep(Duration::from_millis(1)),
        }
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
            state.slots[0].jobs = job;
        });
        guard(&shared, 0, || panic!("on purpose"));
        let lost = TaskError::PoolBroken {
            source: Arc::new(PoolError::ThreadLost),
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
