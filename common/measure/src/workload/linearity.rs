//! Whether work takes time in step with its amount.

use crate::clock::thread_cpu;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// What [`check_linear`] measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linearity {
    /// How many times longer `4 * steps` took than `steps`; 4 for linear work.
    pub ratio: f64,
    /// The smaller amount of work.
    pub steps: u64,
    /// What the smaller amount cost, at best.
    pub cost: Duration,
    /// How many pairs the ratio is the median of.
    pub rounds: usize,
}

/// Whether work grows in step with its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinearityVerdict {
    /// Four times the work took about four times as long: from 3 to 5⅓ times.
    Linear,
    /// It took less than 2 or more than 8 times as long.
    NotLinear,
    /// Anything in between.
    Unclear,
}

impl Linearity {
    /// Judges the ratio.
    ///
    /// A shared machine may change its speed by two at any moment. Linear work that meets such a
    /// change shows as 2 or 8; only what lies beyond is held against the work.
    pub fn verdict(&self) -> LinearityVerdict {
        match self.ratio {
            ratio if (3.0..=16.0 / 3.0).contains(&ratio) => LinearityVerdict::Linear,
            ratio if (2.0..=8.0).contains(&ratio) => LinearityVerdict::Unclear,
            _ => LinearityVerdict::NotLinear,
        }
    }
}

/// Measures whether `work(4 * n)` takes about four times as long as `work(n)`.
///
/// Finds an `n` of about a millisecond, then compares `n` with `4 * n` in up to seven neighbouring
/// pairs, by the CPU time of this thread where the platform tells it. Linear work takes 20–80 ms.
///
/// ```
/// use measure::workload::{LinearityVerdict, check_linear, sum_of_squares};
///
/// let linearity = check_linear(|n| {
///     std::hint::black_box(sum_of_squares(n));
/// });
/// if linearity.verdict() != LinearityVerdict::Linear {
///     eprintln!("4n took {:.1} times n: do not trust the speed-ups below", linearity.ratio);
/// }
/// ```
pub fn check_linear(work: impl Fn(u64)) -> Linearity {
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
const PAIRS: usize = 7;
const ENOUGH: Duration = Duration::from_millis(70);

fn linearity(mut cost_of: impl FnMut(u64) -> Duration) -> Linearity {
    let mut steps = 1;
    let mut cost = cost_of(steps);
    while cost < LEAST_COST && steps < MOST_STEPS {
        steps *= 2;
        cost = cost_of(steps);
    }

    let mut spent = Duration::ZERO;
    let mut ratios = Vec::with_capacity(PAIRS);
    while ratios.len() < PAIRS && (ratios.is_empty() || spent < ENOUGH) {
        let once = cost_of(steps).max(Duration::from_nanos(1));
        let four_times = cost_of(4 * steps);
        ratios.push(four_times.as_secs_f64() / once.as_secs_f64());
        cost = cost.min(once);
        spent += once + four_times;
    }
    ratios.sort_by(f64::total_cmp);
    Linearity {
        ratio: ratios[ratios.len() / 2],
        steps,
        cost,
        rounds: ratios.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{count_down, mix, sum_of_squares, sum_of_squares_closed_form};

    #[test]
    fn linear_work_of_any_speed_is_linear() {
        for nanos_per_step in [1, 40, 3_000_000] {
            let found = linearity(|steps| Duration::from_nanos(steps * nanos_per_step));
            assert_eq!(found.verdict(), LinearityVerdict::Linear, "{found:?}");
            assert!((found.ratio - 4.0).abs() < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn a_closed_form_is_not_linear() {
        for nanos in [0, 1, 76] {
            let found = linearity(|_| Duration::from_nanos(nanos));
            assert_eq!(found.verdict(), LinearityVerdict::NotLinear, "{found:?}");
        }
    }

    #[test]
    fn quadratic_work_is_not_linear() {
        let found = linearity(|steps| Duration::from_nanos(steps * steps));
        assert_eq!(found.verdict(), LinearityVerdict::NotLinear, "{found:?}");
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
            assert_eq!(found.verdict(), LinearityVerdict::Linear, "{found:?}");
        }
    }

    #[test]
    fn verdicts_change_at_their_thresholds() {
        let verdict = |ratio| {
            Linearity {
                ratio,
                steps: 1,
                cost: LEAST_COST,
                rounds: 1,
            }
            .verdict()
        };
        assert_eq!(verdict(1.9), LinearityVerdict::NotLinear);
        assert_eq!(verdict(2.0), LinearityVerdict::Unclear);
        assert_eq!(verdict(3.0), LinearityVerdict::Linear);
        assert_eq!(verdict(5.3), LinearityVerdict::Linear);
        assert_eq!(verdict(8.0), LinearityVerdict::Unclear);
        assert_eq!(verdict(8.1), LinearityVerdict::NotLinear);
        assert_eq!(verdict(f64::NAN), LinearityVerdict::NotLinear);
    }

    #[test]
    fn the_optimiser_found_no_closed_form() {
        // No speed is asserted: a closed form never reaches a millisecond however long it is given,
        // and a loop does long before the last step count.
        let takes_time = |work: fn(u64)| check_linear(work).steps < MOST_STEPS;
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
