//! Programs of loads and stores, and how many schedules they have.

use crate::schedule::Schedule;
use common::format;
use serde::Serialize;
use std::{fmt, num::NonZeroUsize};

/// The steps of one increment that a schedule can tell apart: load, store.
pub const STEPS: u64 = 2;

/// Threads that each make a number of increments in two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// How many threads.
    pub threads: NonZeroUsize,
    /// Increments of each.
    pub increments: u64,
}

impl Program {
    /// The smallest that can lose an update: two threads, one increment each.
    pub const SMALLEST: Self = Self {
        threads: NonZeroUsize::new(2).expect("two is not zero"),
        increments: 1,
    };

    /// The steps of all threads together.
    pub fn steps(self) -> u64 {
        self.threads.get() as u64 * self.increments * STEPS
    }

    /// How many schedules it has: all steps' factorial over that of each thread's steps.
    pub fn schedules(self) -> Count {
        let (threads, each) = (self.threads.get() as u64, self.increments * STEPS);
        // The k-th thread's steps go into any of the places that k threads' steps have together.
        let mut exact = Some(1_u128);
        for k in 2..=threads {
            exact = exact.and_then(|count| count.checked_mul(choose(k * each, each)?));
        }
        Count {
            exact,
            log10: (ln_factorial(threads * each) - threads as f64 * ln_factorial(each))
                / std::f64::consts::LN_10,
        }
    }

    /// All schedules, in alphabetical order; only where [`Self::schedules`] tells that they are few.
    pub fn all_schedules(self) -> Vec<Schedule> {
        let mut left = vec![self.increments * STEPS; self.threads.get()];
        let mut found = Vec::new();
        extend(&mut Vec::new(), &mut left, &mut found);
        found
    }
}

/// Appends every completion of `turns` with the steps that are `left`.
fn extend(turns: &mut Vec<usize>, left: &mut [u64], found: &mut Vec<Schedule>) {
    if left.iter().all(|steps| *steps == 0) {
        found.push(Schedule::of(turns.clone()));
    }
    for thread in 0..left.len() {
        if left[thread] > 0 {
            left[thread] -= 1;
            turns.push(thread);
            extend(turns, left, found);
            turns.pop();
            left[thread] += 1;
        }
    }
}

/// `n` choose `k`, where it fits.
fn choose(n: u64, k: u64) -> Option<u128> {
    (1..=k.min(n - k)).try_fold(1_u128, |product, i| {
        Some(product.checked_mul(u128::from(n - i + 1))? / u128::from(i))
    })
}

/// The natural logarithm of n!, by Stirling's series past what is added up.
fn ln_factorial(n: u64) -> f64 {
    if n < 100 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
}

/// A count that may be too large to write.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Count {
    /// The number itself, where it fits into 128 bits.
    #[serde(skip)]
    pub exact: Option<u128>,
    /// Its decimal logarithm.
    pub log10: f64,
}

impl Count {
    /// The number itself, if it is at most `limit`.
    pub fn up_to(self, limit: u64) -> Option<u64> {
        let exact = u64::try_from(self.exact?).ok()?;
        (exact <= limit).then_some(exact)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.up_to(10_u64.pow(15)) {
            Some(count) => f.write_str(&format::count(count)),
            None => {
                let digits = self.log10.floor() as u64 + 1;
                write!(f, "a number of {} digits", format::count(digits))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn program(threads: usize, increments: u64) -> Program {
        Program {
            threads: NonZeroUsize::new(threads).expect("the tests count from one"),
            increments,
        }
    }

    #[test]
    fn two_loads_and_two_stores_have_six_schedules_of_which_four_lose() {
        let all = Program::SMALLEST.all_schedules();
        let written: Vec<String> = all.iter().map(Schedule::to_string).collect();
        assert_eq!(written, ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]);
        let losing: Vec<bool> = all.iter().map(Schedule::has_a_store_in_a_window).collect();
        assert_eq!(losing, [false, true, true, true, true, false]);
    }

    #[test]
    fn as_many_are_listed_as_are_counted_and_each_once() {
        for (threads, increments, count) in [
            (1, 1, 1),
            (1, 5, 1),
            (2, 1, 6),
            (2, 2, 70),
            (3, 1, 90),
            (2, 3, 924),
            (4, 1, 2520),
        ] {
            let program = program(threads, increments);
            assert_eq!(program.schedules().up_to(3000), Some(count));
            let all = program.all_schedules();
            assert_eq!(all.len() as u64, count);
            assert!(all.is_sorted_by(|one, next| one < next));
            for schedule in all {
                assert_eq!(schedule.program(), program);
                assert_eq!(schedule.to_string().parse(), Ok(schedule));
            }
        }
    }

    #[test]
    fn large_counts_are_told_by_their_digits() {
        // 40! / (20!)^2 and 100! / (50!)^2, as tables have them.
        assert_eq!(program(2, 10).schedules().to_string(), "137,846,528,820");
        assert_eq!(
            program(2, 25).schedules().to_string(),
            "a number of 30 digits"
        );
        let script = program(4, 100_000).schedules();
        assert!(script.exact.is_none());
        assert_eq!(script.to_string(), "a number of 481,640 digits");
        assert_eq!(program(64, 10_000_000).schedules().up_to(3000), None);
    }

    proptest! {
        #[test]
        fn counting_agrees_with_its_logarithm(threads in 1..5_usize, increments in 0..8_u64) {
            let count = program(threads, increments).schedules();
            if let Some(exact) = count.exact {
                prop_assert!((count.log10 - (exact as f64).log10()).abs() < 1e-6);
            }
        }
    }
}
