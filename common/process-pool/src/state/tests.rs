//! Of a pool whose thread panics.

use super::*;
use crate::{ProcessPool, TaskError, Worker as Function, child::Program, pool::Owner};
use std::sync::mpsc;

#[test]
fn a_pool_that_loses_a_thread_leaves_no_task_waiting() {
    const NEVER: Function<u8, u8> = Function::new("never", |n| n);
    let one = NEVER.pool_builder().workers(NonZeroUsize::MIN);
    let settings = one.program(Program::at("/none")).settings;
    let shared = Arc::new(Shared::new(settings, mpsc::channel().0).expect("pipes"));
    let owner = Owner {
        shared: Arc::clone(&shared),
        supervisors: Vec::new(),
    };
    let pool = ProcessPool::<u8, u8>::new(Arc::new(owner), 0);
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
    assert!(pool.shutdown(None).balances());
}
