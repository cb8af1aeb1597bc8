//! The books by themselves, and against threads that really block.

use super::*;
use crate::lock::WatchedMutex;
use proptest::prelude::*;
use std::sync::Arc;

const LOCKS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn place(line: u32) -> Place {
    let file = "somewhere.rs".into();
    Place { file, line }
}

/// Books in which lock `l` is held by thread `holders[l]`, and thread `t` waits for lock `waits[t]`.
fn books(holders: &[Option<usize>], waits: &[Option<usize>]) -> Books {
    let mut books = Books::default();
    for (lock, holder) in LOCKS.iter().zip(holders) {
        if let Some(holder) = holder {
            books.held.insert(lock, (holder.to_string(), place(1)));
        }
    }
    for (thread, lock) in waits.iter().enumerate() {
        if let Some(lock) = lock {
            let wait = (LOCKS[*lock], place(2));
            books.waits.insert(thread.to_string(), wait);
        }
    }
    books
}

/// Whether `thread` comes back to itself, worked out by walking as many steps as there are threads.
fn waits_for_itself(thread: usize, holders: &[Option<usize>], waits: &[Option<usize>]) -> bool {
    let next = |thread: usize| holders[waits[thread]?];
    let steps = std::iter::successors(next(thread), |&thread| next(thread));
    steps.take(waits.len()).any(|reached| reached == thread)
}

proptest! {
    #[test]
    fn a_cycle_is_found_where_there_is_one_and_nowhere_else(
        holders in prop::collection::vec(prop::option::of(0..6_usize), 6),
        waits in prop::collection::vec(prop::option::of(0..6_usize), 6),
    ) {
        let books = books(&holders, &waits);
        let in_cycles = (0..6).filter(|&thread| waits_for_itself(thread, &holders, &waits));
        let in_cycles: Vec<String> = in_cycles.map(|thread| thread.to_string()).collect();
        match books.cycle() {
            None => prop_assert!(in_cycles.is_empty(), "{in_cycles:?}"),
            Some(cycle) => {
                prop_assert!(cycle.iter().all(|thread| in_cycles.iter().any(|known| known == thread)));
                for (at, thread) in cycle.iter().enumerate() {
                    let next = cycle[(at + 1) % cycle.len()];
                    let (lock, _) = &books.waits[*thread];
                    prop_assert_eq!(&books.held[lock].0, next);
                }
            }
        }
    }
}

#[test]
fn who_only_waits_for_a_cycle_stands_behind_it() {
    let books = books(&[Some(1), Some(0)], &[Some(0), Some(1), Some(0)]);
    let cycle = books.cycle().expect("0 and 1 wait for each other");
    let deadlock = books.deadlock(&cycle);
    let names = |stuck: &[Stuck]| -> Vec<String> {
        stuck.iter().map(|stuck| stuck.thread.clone()).collect()
    };
    assert_eq!(names(&deadlock.cycle), ["0", "1"]);
    assert_eq!(names(&deadlock.behind), ["2"]);
    assert_eq!(deadlock.cycle[0].waits_for.lock, "a");
    assert_eq!(deadlock.cycle[0].holds[0].lock, "b");
}

#[test]
fn threads_that_get_through_are_no_deadlock() {
    let registry = Arc::new(Registry::default());
    let counter = WatchedMutex::new(&registry, "counter", 0);
    let found = thread::scope(|scope| {
        for number in 0..4 {
            let thread = thread::Builder::new().name(number.to_string());
            let work = || {
                for _ in 0..1_000 {
                    *counter.lock() += 1;
                }
                registry.finish();
            };
            thread.spawn_scoped(scope, work).expect("a thread starts");
        }
        registry.watch(4)
    });
    assert_eq!(found, None);
    assert_eq!(*counter.lock(), 4_000);
}
