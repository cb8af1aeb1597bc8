//! One thread for each slot of a pool: it starts a worker, serves and ends it, and starts the next one.

use crate::{
    PoolError,
    child::{Answers, Incoming, Seen, Waker},
    state::Shared,
    sync::lock,
    worker::Worker,
};
use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Instant,
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
        let waker = Arc::clone(&lock(&shared.state).slots[slot].waker);
        while let Some(when) = shared.change(|state| state.next_start(slot)) {
            if when > Instant::now() {
                waker.wait(when);
                continue;
            }
            match Worker::start(&shared.settings, slot) {
                Ok((worker, answers)) => {
                    shared.change(|state| state.admit(slot, worker));
                    serve(shared, slot, &waker, &answers);
                }
                Err(reason) => shared.change(|state| state.fail_start(slot, reason)),
            }
        }
    });
}

/// Without one of its threads a pool cannot serve: it reports that instead of letting its callers wait.
fn guard(shared: &Shared, slot: usize, work: impl FnOnce()) {
    let worked = panic::catch_unwind(AssertUnwindSafe(work));
    shared.change(|state| {
        if worked.is_err() {
            state.give_up(PoolError::ThreadLost);
        }
        let mut worker = state.slots[slot].worker.take();
        let jobs = worker.iter_mut().flat_map(|worker| worker.jobs.drain(..));
        jobs.for_each(|job| state.queue.requeue(job));
        // Not under the lock: it waits for the process.
        state.queue.later(move |_| drop(worker));
        state.leave();
    });
}

/// Serves a worker until its process has ended.
fn serve(shared: &Shared, slot: usize, waker: &Waker, answers: &Answers) {
    let (mut incoming, mut seen) = (Incoming::default(), Seen::default());
    while let Some(next) = shared.change(|state| state.turn(slot, &mut incoming, seen)) {
        seen = answers.wait(&next, waker, &mut incoming);
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
        let settings = one.program(Program::at("/none")).settings;
        let shared = Arc::new(Shared::new(settings).expect("pipes"));
        let pool = ProcessPool::<u8, u8>::new(Arc::clone(&shared));
        let (waiting, sent) = (pool.submit(1), pool.submit(2));
        shared.change(|state| {
            state.slots[0].worker = None;
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
