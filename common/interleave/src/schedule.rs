//! Schedules: in what order the threads' steps happen, and how many orders there are.

use anyhow::{Context, ensure};
use serde::{Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The most steps that a written schedule may have.
const MOST_STEPS: usize = 64;

/// An order of steps, each by the number of its thread; `ABBA` is 0, 1, 1, 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schedule(Vec<usize>);

impl FromStr for Schedule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let number = |name: char| {
            let found = ('A'..='H').position(|letter| letter == name.to_ascii_uppercase());
            found.with_context(|| format!("`{name}` is no thread; they are called A to H"))
        };
        let turns: Vec<usize> = text.chars().map(number).collect::<Result<_, _>>()?;
        let is_right = (2..=MOST_STEPS).contains(&turns.len());
        ensure!(
            is_right,
            "a schedule has 2 to {MOST_STEPS} letters, like ABBA"
        );
        Ok(Self(turns))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0.iter()).try_for_each(|turn| write!(f, "{}", letter(*turn)))
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
    pub fn repeats_of(&self, whole: usize) -> anyhow::Result<usize> {
        let steps_of = |thread| self.0.iter().filter(|turn| **turn == thread).count();
        let first = steps_of(0);
        for thread in 0..self.threads() {
            let (letter, steps) = (letter(thread), steps_of(thread));
            ensure!(
                steps > 0 && steps.is_multiple_of(whole),
                "`{letter}` is there {steps}×; each thread takes {whole} steps, or a multiple of that"
            );
            ensure!(
                steps == first,
                "`{letter}` is there {steps}× and `A` {first}×; each thread takes as many steps"
            );
        }
        Ok(first / whole)
    }
}

/// What the thread of this number, from 0, is called: A, B …
pub(crate) fn letter(thread: usize) -> char {
    char::from(b'A' + thread as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_schedule_says_why() {
        let read = |text: &str| text.parse::<Schedule>()?.repeats_of(2);
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
        assert_eq!(read("abbaAABB").ok(), Some(2));
        let small = "abba".parse::<Schedule>().expect("case does not matter");
        assert_eq!(small.to_string(), "ABBA");
    }
}
