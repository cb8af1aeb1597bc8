//! Schedules: in what order the threads' steps happen, and how many orders there are.

use crate::{
    program::{Program, STEPS},
    threads::letter,
};
use serde::{Serialize, Serializer};
use std::{fmt, num::NonZeroUsize, str::FromStr};

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
    /// Fewer than half of the letters of an increment.
    #[error("`{letter}` is there {steps}×; an increment takes two letters, load and store")]
    HalfAnIncrement {
        /// The thread.
        letter: String,
        /// Its steps.
        steps: usize,
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
        let steps_of = |thread| turns.iter().filter(|turn| **turn == thread).count();
        let threads = turns.iter().max().map_or(0, |last| last + 1);
        let first = steps_of(0);
        for thread in 0..threads {
            let (letter, steps) = (letter(thread), steps_of(thread));
            if steps == 0 || steps % 2 != 0 {
                return Err(NoSchedule::HalfAnIncrement { letter, steps });
            }
            if steps != first {
                return Err(NoSchedule::Uneven {
                    letter,
                    steps,
                    first,
                });
            }
        }
        Ok(Self(turns))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|turn| f.write_str(&letter(*turn)))
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

    /// The program that it is a schedule of.
    pub fn program(&self) -> Program {
        let threads = self.0.iter().max().map_or(1, |last| last + 1);
        Program {
            threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
            increments: (self.0.len() / threads) as u64 / STEPS,
        }
    }

    /// Whether another thread's store falls between a load and its store.
    pub fn has_a_store_in_a_window(&self) -> bool {
        let mut open = vec![None; self.program().threads.get()];
        let mut stores = 0;
        for &thread in &self.0 {
            match open[thread].take() {
                None => open[thread] = Some(stores),
                Some(at_load) if at_load != stores => return true,
                Some(_) => stores += 1,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_is_no_schedule_says_why() {
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
            let error = text.parse::<Schedule>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let small = "abba".parse::<Schedule>().expect("case does not matter");
        assert_eq!(small.to_string(), "ABBA");
    }

    proptest! {
        #[test]
        fn a_prefix_of_whole_increments_never_opens_a_window(order in proptest::collection::vec(0..3_usize, 0..12)) {
            // Each turn doubled: every load is followed by its own store.
            let turns = order.iter().flat_map(|turn| [*turn, *turn]).collect();
            prop_assert!(!Schedule::of(turns).has_a_store_in_a_window());
        }
    }
}
