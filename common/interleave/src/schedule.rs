//! Schedules: in what order the threads' steps happen, and how many orders there are.

use serde::{Serialize, Serializer};
use std::{f64::consts, fmt, str::FromStr};

/// The most steps that a written schedule may have.
const MOST_STEPS: usize = 64;

/// An order of steps, each by the number of its thread; `ABBA` is 0, 1, 1, 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schedule(Vec<usize>);

/// Why a text is no schedule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSchedule {
    /// Nothing, or too much.
    #[error("a schedule has 2 to {MOST_STEPS} letters, like ABBA")]
    Length,
    /// Something else than the letters of the threads.
    #[error("`{0}` is no thread; they are called A to H")]
    NoThread(char),
    /// A thread that stops in the middle of something.
    #[error("`{letter}` is there {steps}×; each thread takes {whole} steps, or a multiple of that")]
    Unfinished {
        /// The thread.
        letter: String,
        /// Its steps.
        steps: usize,
        /// The steps that belong together.
        whole: usize,
    },
    /// Threads that do not do the same.
    #[error("`{letter}` is there {steps}× and `A` {first}×; each thread takes as many steps")]
    Uneven {
        /// The thread.
        letter: String,
        /// Its steps.
        steps: usize,
        /// The first thread's steps.
        first: usize,
    },
}

impl FromStr for Schedule {
    type Err = NoSchedule;

    fn from_str(text: &str) -> Result<Self, NoSchedule> {
        let number = |name: char| {
            let upper = name.to_ascii_uppercase();
            let found = ('A'..='H').position(|letter| letter == upper);
            found.ok_or(NoSchedule::NoThread(name))
        };
        let turns: Vec<usize> = text.chars().map(number).collect::<Result<_, _>>()?;
        if !(2..=MOST_STEPS).contains(&turns.len()) {
            return Err(NoSchedule::Length);
        }
        Ok(Self(turns))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0.iter()).try_for_each(|turn| f.write_str(&letter(*turn)))
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Schedule {
    /// The schedule of these turns.
    pub fn of(turns: Vec<usize>) -> Self {
        Self(turns)
    }

    /// Whose turn each step is.
    pub fn turns(&self) -> &[usize] {
        &self.0
    }

    /// How many threads take part: one more than the highest number.
    pub fn threads(&self) -> usize {
        self.0.iter().max().map_or(0, |last| last + 1)
    }

    /// How often each thread does something of `whole` steps, where all do it equally often.
    ///
    /// # Errors
    /// A thread stops in the middle, or takes more steps than another.
    pub fn repeats_of(&self, whole: usize) -> Result<usize, NoSchedule> {
        let steps_of = |thread| self.0.iter().filter(|turn| **turn == thread).count();
        let first = steps_of(0);
        for thread in 0..self.threads() {
            let (letter, steps) = (letter(thread), steps_of(thread));
            if steps == 0 || steps % whole != 0 {
                return Err(NoSchedule::Unfinished {
                    letter,
                    steps,
                    whole,
                });
            }
            if steps != first {
                return Err(NoSchedule::Uneven {
                    letter,
                    steps,
                    first,
                });
            }
        }
        Ok(first / whole)
    }

    /// All orders of so many steps of each thread, in alphabetical order.
    ///
    /// They grow fast: [`count_schedules`] says how many there are.
    pub fn all(steps: &[usize]) -> Vec<Self> {
        let (mut left, mut found) = (steps.to_vec(), Vec::new());
        extend(&mut Vec::new(), &mut left, &mut found);
        found
    }
}

/// Appends every completion of `turns` with the steps that are `left`.
fn extend(turns: &mut Vec<usize>, left: &mut [usize], found: &mut Vec<Schedule>) {
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

/// What the thread of this number, from 0, is called: A, B … Z, then by number.
pub fn letter(thread: usize) -> String {
    let letter = u8::try_from(thread).ok().filter(|number| *number < 26);
    letter.map_or_else(
        || (thread + 1).to_string(),
        |number| char::from(b'A' + number).to_string(),
    )
}

/// A count that may be too large to write.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The number itself, where it fits into 128 bits.
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

    /// How many decimal digits it has.
    pub fn digits(self) -> u64 {
        self.log10.floor() as u64 + 1
    }
}

/// In how many orders `threads` threads can take `each` steps each.
///
/// That is all steps' factorial over that of each thread's steps.
pub fn count_schedules(threads: u64, each: u64) -> Count {
    // The k-th thread's steps go into any of the places that k threads' steps have together.
    let mut exact = Some(1_u128);
    for k in 2..=threads {
        exact = exact.and_then(|count| count.checked_mul(choose(k * each, each)?));
    }
    let ln = ln_factorial(threads * each) - threads as f64 * ln_factorial(each);
    Count {
        exact,
        log10: ln / consts::LN_10,
    }
}

/// `n` choose `k`, where it fits.
fn choose(n: u64, k: u64) -> Option<u128> {
    (1..=k.min(n - k)).try_fold(1_u128, |product, i| {
        Some(product.checked_mul(u128::from(n - i + 1))? / u128::from(i))
    })
}

/// The natural logarithm of n!, by Stirling's series where adding it up would take long.
fn ln_factorial(n: u64) -> f64 {
    if n < 100 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (consts::TAU * n).ln() + 1.0 / (12.0 * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_is_no_schedule_says_why() {
        let read =
            |text: &str| -> Result<usize, NoSchedule> { text.parse::<Schedule>()?.repeats_of(2) };
        for (text, why) in [
            ("", "2 to 64 letters"),
            ("A", "2 to 64 letters"),
            (&"AABB".repeat(17), "2 to 64 letters"),
            ("AB1A", "`1` is no thread"),
            ("IIAA", "`I` is no thread"),
            ("ABB", "`A` is there 1×"),
            ("AACC", "`B` is there 0×"),
            ("AABBBB", "`B` is there 4× and `A` 2×"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert_eq!(read("abbaAABB"), Ok(2));
        let small = "abba".parse::<Schedule>().expect("case does not matter");
        assert_eq!(small.to_string(), "ABBA");
    }

    #[test]
    fn as_many_are_listed_as_are_counted_and_each_once() {
        for (threads, each, count) in [
            (1, 2, 1),
            (1, 10, 1),
            (2, 2, 6),
            (2, 4, 70),
            (3, 2, 90),
            (2, 6, 924),
            (4, 2, 2520),
        ] {
            assert_eq!(count_schedules(threads, each).up_to(3000), Some(count));
            let all = Schedule::all(&vec![each as usize; threads as usize]);
            assert_eq!(all.len() as u64, count);
            assert!(all.is_sorted_by(|one, next| one < next));
            for schedule in all {
                assert_eq!(schedule.repeats_of(each as usize), Ok(1));
            }
        }
        let uneven = Schedule::all(&[1, 2]);
        let written: Vec<String> = uneven.iter().map(Schedule::to_string).collect();
        assert_eq!(written, ["ABB", "BAB", "BBA"]);
    }

    #[test]
    fn large_counts_have_digits() {
        // 40! / (20!)^2, as tables have it.
        assert_eq!(count_schedules(2, 20).exact, Some(137_846_528_820));
        assert_eq!(count_schedules(2, 50).digits(), 30);
        let script = count_schedules(4, 200_000);
        assert!(script.exact.is_none());
        assert_eq!(script.digits(), 481_640);
        assert_eq!(count_schedules(64, 20_000_000).up_to(3000), None);
    }

    proptest! {
        #[test]
        fn counting_agrees_with_its_logarithm(threads in 1..5_u64, each in 0..16_u64) {
            let count = count_schedules(threads, each);
            if let Some(exact) = count.exact {
                prop_assert!((count.log10 - (exact as f64).log10()).abs() < 1e-6);
            }
        }
    }
}
