//! Whether work takes time in step with its amount.

use crate::{clock::thread_cpu, host::median};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How many times as long `work(4 * n)` takes as `work(n)`: about 4 for linear work.
///
/// Finds an `n` of about a millisecond and compares `n` with `4 * n` in five neighbouring pairs, by this thread's CPU
/// time where the platform has it: a change of speed spoils one pair, not the median. Linear work takes 20–80 ms.
pub fn check_linear(work: impl Fn(u64)) -> f64 {
    linearity(|steps| {
        let wall = Instant::now();
        let cpu = thread_cpu();
        work(black_box(steps));
        match cpu.zip(thread_cpu()) {
            Some((before, after)) => after.saturating_sub(before),
            None => wall.elapsed(),
        }
    })
}

const LEAST_COST: Duration = Duration::from_millis(1);
/// Work that is still too short to measure here is not done at all.
const MOST_STEPS: u64 = 1 << 36;
const PAIRS: usize = 5;

fn linearity(mut cost_of: impl FnMut(u64) -> Duration) -> f64 {
    let mut steps = 1;
    while cost_of(steps) < LEAST_COST && steps < MOST_STEPS {
        steps *= 2;
    }
    let ratios = (0..PAIRS).map(|_| {
        let once = cost_of(steps).max(Duration::from_nanos(1));
        cost_of(4 * steps).as_secs_f64() / once.as_secs_f64()
    });
    median(ratios.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{count_down, mix, sum_of_squares, sum_of_squares_closed_form};
    use std::cell::Cell;

    #[test]
    fn linear_work_of_any_speed_takes_four_times_as_long() {
        for nanos_per_step in [1, 40, 3_000_000] {
            let found = linearity(|steps| Duration::from_nanos(steps * nanos_per_step));
            assert!((found - 4.0).abs() < 1e-9, "{found}");
        }
    }

    #[test]
    fn a_closed_form_and_quadratic_work_do_not() {
        for nanos in [0, 1, 76] {
            assert!(linearity(|_| Duration::from_nanos(nanos)) < 2.0);
        }
        assert!(linearity(|steps| Duration::from_nanos(steps * steps)) > 8.0);
    }

    #[test]
    fn a_change_of_speed_is_never_held_against_linear_work() {
        for change_at in 0..40 {
            let mut calls = 0;
            let found = linearity(|steps| {
                calls += 1;
                let nanos_per_step = if calls > change_at { 2 } else { 1 };
                Duration::from_nanos(steps * nanos_per_step)
            });
            assert!((3.0..=16.0 / 3.0).contains(&found), "{found}");
        }
    }

    #[test]
    fn the_optimiser_found_no_closed_form() {
        // No speed is asserted: a closed form never reaches a millisecond however long it is given,
        // and a loop does long before the last step count.
        let takes_time = |work: fn(u64)| {
            let most = Cell::new(0);
            check_linear(|steps| {
                most.set(most.get().max(steps));
                work(steps);
            });
            most.get() < MOST_STEPS
        };
        assert!(takes_time(|n| {
            black_box(sum_of_squares(n));
        }));
        assert!(takes_time(|n| {
            black_box(count_down(n));
        }));
        assert!(takes_time(|n| {
            mix(1, n);
        }));
        assert!(!takes_time(|n| {
            black_box(sum_of_squares_closed_form(n));
        }));
    }
}
