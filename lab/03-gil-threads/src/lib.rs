//! Two CPU-bound jobs: one after another, on two threads, and on two threads that share one GIL.

pub mod gil;

use gil::Gil;
use measure::workload::Seeded;
use std::thread;
use tracing::info_span;

/// Steps between two looks at whether the GIL is asked for: some microseconds.
///
/// CPython looks at every jump back to the top of a loop; its steps are that much longer.
const STEPS_BETWEEN_CHECKS: u64 = 1_000;

/// A part of the script's job: adds up products of random numbers.
fn add_up(random: &mut Seeded, steps: u64) -> u64 {
    let products = (0..steps).map(|_| random.range(1..10_001) * random.range(1..10_001));
    products.sum()
}

/// Does every job on the calling thread, one after another.
pub fn sum_sequential(jobs: u64, steps: u64) -> Vec<u64> {
    (0..jobs).map(|seed| sum(seed, steps)).collect()
}

/// Does every job on a thread of its own.
pub fn sum_threaded(jobs: u64, steps: u64) -> Vec<u64> {
    on_threads(jobs, |seed| sum(seed, steps))
}

/// Does every job on a thread of its own, but only the holder of the GIL runs.
pub fn sum_threaded_under_gil(jobs: u64, steps: u64, gil: &Gil) -> Vec<u64> {
    on_threads(jobs, |seed| sum_under(gil, seed, steps))
}

/// Waits on threads of their own, each with the GIL in its hand.
pub fn wait_holding_gil(jobs: u64, gil: &Gil, io: impl Fn() + Sync) -> Vec<()> {
    on_threads(jobs, |_| {
        let _held = gil.take();
        info_span!("wait", wait = "sleep").in_scope(&io);
    })
}

/// Waits on threads of their own, each without the GIL meanwhile.
pub fn wait_releasing_gil(jobs: u64, gil: &Gil, io: impl Fn() + Sync) -> Vec<()> {
    on_threads(jobs, |_| {
        let held = gil.take();
        drop(held);
        info_span!("wait", wait = "sleep").in_scope(&io);
        let _held = gil.take();
    })
}

#[tracing::instrument(name = "job", skip_all)]
fn sum(seed: u64, steps: u64) -> u64 {
    add_up(&mut Seeded::new(seed), steps)
}

#[tracing::instrument(name = "job", skip_all)]
fn sum_under(gil: &Gil, seed: u64, steps: u64) -> u64 {
    let (mut random, mut total, mut left) = (Seeded::new(seed), 0, steps);
    let mut held = gil.take();
    loop {
        // One turn: until the job is done or another thread asks for the GIL.
        info_span!("turn").in_scope(|| {
            while left > 0 && !gil.is_asked_for() {
                let some = STEPS_BETWEEN_CHECKS.min(left);
                total += add_up(&mut random, some);
                left -= some;
            }
        });
        if left == 0 {
            return total;
        }
        held = gil.hand_over(held);
    }
}

/// Runs `job` on a thread for each number; all are started before the first is waited for.
fn on_threads<T: Send>(jobs: u64, job: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let job = &job;
    thread::scope(|scope| {
        let start = |number| scope.spawn(move || job(number));
        let threads: Vec<_> = (0..jobs).map(start).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use measure::workload::io_wait_blocking;
    use std::{sync::Mutex, time::Duration};

    const INTERVAL: Duration = Duration::from_micros(50);

    #[test]
    fn every_way_adds_up_what_one_thread_does() {
        let check = STEPS_BETWEEN_CHECKS;
        for steps in [0, 1, 7, check, check + 1, 300_000] {
            for jobs in 0..=8 {
                let expected = sum_sequential(jobs, steps);
                assert_eq!(expected.len() as u64, jobs);
                assert_eq!(sum_threaded(jobs, steps), expected, "{jobs} of {steps}");
                let gil = Gil::new(INTERVAL);
                let in_turns = sum_threaded_under_gil(jobs, steps, &gil);
                assert_eq!(in_turns, expected, "{jobs} of {steps}");
            }
        }
    }

    #[test]
    fn a_gil_that_is_held_lets_one_wait_at_a_time() {
        let (gil, waiting) = (Gil::new(INTERVAL), Mutex::new(()));
        wait_holding_gil(4, &gil, || {
            let _alone = waiting.try_lock().expect("only the holder waits");
            io_wait_blocking(Duration::from_millis(2));
        });
    }
}
