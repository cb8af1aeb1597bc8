//! Threads that lock each other out, on purpose, every time; and the same with the order kept.
//!
//! Each `lock` is in a span that is named for its lock. A span that has ended says who has the lock,
//! and one that never ends says who waits for it.

use parking_lot::Mutex;
use std::{
    sync::Barrier,
    thread::{Builder, JoinHandle},
};
use tracing::info_span;

/// Two accounts, each with a lock of its own.
static CHECKING: Mutex<i64> = Mutex::new(100);
static SAVINGS: Mutex<i64> = Mutex::new(100);
/// Both threads hold their first lock before either asks for its second.
static BOTH_HOLD: Barrier = Barrier::new(2);

/// A thread asks for the lock that it holds.
pub fn start_self_deadlock() -> Vec<JoinHandle<()>> {
    vec![start("teller", || {
        let mut held = info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock());
        // BUG (on purpose): as a method does that holds the lock and calls one that takes it.
        *info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock()) += 1;
        *held += 1;
    })]
}

/// Two threads take the same two locks, each the other's first one second.
pub fn start_opposite_order() -> Vec<JoinHandle<()>> {
    let saver = start("saver", || {
        let mut from = info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock());
        BOTH_HOLD.wait();
        let mut to = info_span!("savings", wait = "lock").in_scope(|| SAVINGS.lock());
        (*from, *to) = (*from - 10, *to + 10);
    });
    let spender = start("spender", || {
        // BUG (on purpose): the other way round than `saver`.
        let mut from = info_span!("savings", wait = "lock").in_scope(|| SAVINGS.lock());
        BOTH_HOLD.wait();
        let mut to = info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock());
        (*from, *to) = (*from - 20, *to + 20);
    });
    vec![saver, spender]
}

/// Two threads take the same two locks in the same order.
pub fn start_same_order() -> Vec<JoinHandle<()>> {
    let saver = start("saver", || {
        let mut from = info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock());
        let mut to = info_span!("savings", wait = "lock").in_scope(|| SAVINGS.lock());
        (*from, *to) = (*from - 10, *to + 10);
    });
    let spender = start("spender", || {
        // Checking before savings, whichever way the money goes: the thread that has the last lock
        // of the order waits for no other.
        let mut to = info_span!("checking", wait = "lock").in_scope(|| CHECKING.lock());
        let mut from = info_span!("savings", wait = "lock").in_scope(|| SAVINGS.lock());
        (*from, *to) = (*from - 20, *to + 20);
    });
    vec![saver, spender]
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = Builder::new().name(name.into());
    thread.spawn(work).expect("the system starts a thread")
}
