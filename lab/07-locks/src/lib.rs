//! The race repaired: a lock, one atomic step, nothing shared, and a queue.
//!
//! A `Mutex` owns what it protects, so nobody gets at the counter without the lock:
//!
//! ```compile_fail,E0368
//! let mut counter = std::sync::Mutex::new(0);
//! counter += 1;
//! ```

pub mod queue;

use std::{
    hint::black_box,
    num::NonZeroUsize,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// How many workers count, and how often each of them adds one.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// Increments that each worker makes.
    pub increments: u64,
}

impl Plan {
    /// The count that all increments together give.
    pub fn expected(self) -> u64 {
        self.threads.get() as u64 * self.increments
    }
}

/// Makes all increments on the calling thread.
pub fn count_sequential(plan: Plan) -> u64 {
    count_alone(plan.expected())
}

/// Makes each increment in two steps, as in the race of lab 06; loses updates.
pub fn count_losing_updates(plan: Plan) -> u64 {
    let (counter, all_loaded) = (AtomicU64::new(0), Barrier::new(plan.threads.get()));
    on_workers(plan, || {
        add_losing_updates(&counter, plan.increments, &all_loaded)
    });
    counter.into_inner()
}

/// Takes a lock for each increment.
pub fn count_with_mutex(plan: Plan) -> u64 {
    let counter = Mutex::new(0);
    on_workers(plan, || add_under_lock(&counter, plan.increments));
    counter.into_inner().expect(NEVER_POISONED)
}

/// Makes each increment in one atomic step.
pub fn count_with_fetch_add(plan: Plan) -> u64 {
    let counter = AtomicU64::new(0);
    on_workers(plan, || add_in_one_step(&counter, plan.increments));
    counter.into_inner()
}

/// Lets each worker count for itself, and adds up what they return when they are joined.
pub fn sum_at_the_end(plan: Plan) -> u64 {
    let shares = on_workers(plan, || count_alone(plan.increments));
    shares.into_iter().sum()
}

/// A poisoned lock is one whose holder panicked: what it protects may be half changed.
const NEVER_POISONED: &str = "adding one does not panic";

#[tracing::instrument(name = "add", skip_all)]
fn add_under_lock(counter: &Mutex<u64>, increments: u64) {
    for _ in 0..increments {
        // The critical section. The guard unlocks when it is dropped, which is here at the end of
        // the statement, also on a panic or an early return: there is no `finally` to forget.
        *counter.lock().expect(NEVER_POISONED) += black_box(1);
    }
}

#[tracing::instrument(name = "add", skip_all)]
fn add_in_one_step(counter: &AtomicU64, increments: u64) {
    for _ in 0..increments {
        // Relaxed: no other data hangs on the counter, so there is nothing to pair with; joining
        // the threads makes the total visible.
        counter.fetch_add(1, Relaxed);
    }
}

#[tracing::instrument(name = "add", skip_all)]
fn add_losing_updates(counter: &AtomicU64, increments: u64, all_loaded: &Barrier) {
    for step in 0..increments {
        // Relaxed, both: as in `add_in_one_step`; no ordering joins two operations into one.
        let seen = counter.load(Relaxed);
        if step == 0 {
            // Once all have loaded the same number, one update at least is lost in every run.
            all_loaded.wait();
        }
        // BUG (on purpose): whatever was stored since the load is overwritten.
        counter.store(seen + 1, Relaxed);
    }
}

#[tracing::instrument(name = "count", skip_all)]
fn count_alone(increments: u64) -> u64 {
    let mut count = 0;
    for _ in 0..increments {
        // Hidden from the optimiser, here and above: it would make one addition of a whole loop.
        count += black_box(1);
    }
    count
}

/// Runs `work` on all workers, which begin together; returns what each made.
fn on_workers<T: Send>(plan: Plan, work: impl Fn() -> T + Sync) -> Vec<T> {
    let start = Barrier::new(plan.threads.get());
    let begin_together = || {
        start.wait();
        work()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..plan.threads.get())
            .map(|_| scope.spawn(begin_together))
            .collect();
        let made = workers.into_iter().map(|worker| worker.join());
        made.map(|made| made.expect("adding one does not panic"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{self, AssertUnwindSafe, catch_unwind};

    fn plan(threads: usize, increments: u64) -> Plan {
        let threads = NonZeroUsize::new(threads).expect("the tests count from one");
        Plan {
            threads,
            increments,
        }
    }

    #[test]
    fn every_repair_counts_what_one_thread_counts() {
        for threads in 1..=8 {
            for increments in [0, 1, 3, 100_000] {
                let plan = plan(threads, increments);
                let expected = count_sequential(plan);
                assert_eq!(expected, threads as u64 * increments);
                for repaired in [count_with_mutex, count_with_fetch_add, sum_at_the_end] {
                    assert_eq!(repaired(plan), expected);
                }
                let total = queue::sum_through_queue(plan, |_| ());
                assert_eq!(total, expected);
            }
        }
    }

    #[test]
    fn the_race_loses_an_update_at_least_and_never_counts_too_much() {
        for threads in 1..=8 {
            let plan = plan(threads, 20_000);
            let got = count_losing_updates(plan);
            let most = plan.expected() - (threads as u64 - 1);
            assert!((2..=most).contains(&got), "{got}");
        }
        assert_eq!(count_losing_updates(plan(1, 777)), 777);
    }

    #[test]
    fn a_holder_that_panics_lets_the_lock_go_and_poisons_it() {
        let counter = Mutex::new(7);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = counter.lock().expect("nobody has panicked yet");
            // Without the panic's message: it would look like a failing test.
            panic::resume_unwind(Box::new("in the critical section"));
        }));
        assert!(panicked.is_err());
        assert!(counter.is_poisoned());
        let poisoned = counter.lock().expect_err("its holder panicked");
        assert_eq!(*poisoned.into_inner(), 7);
    }
}
