//! One page at one worker, and what that took.

use crate::{
    nesting::TooDeep,
    parse::{PageInput, Parsed, parse_page},
};
use process_pool::Worker;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, process, time::Duration};
use timeline::{Moment, thread_cpu};

/// What worker processes run.
pub const PARSE: Worker<PageInput, (Result<Parsed, TooDeep>, Shift)> =
    Worker::new("parse", parse_in_shift);

/// When a worker had a page in hand; the clock is the same in all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// The process, and in it the thread of a pool.
    pub worker: (u32, Option<usize>),
    /// When it began.
    pub began: Moment,
    /// When it was done.
    pub ended: Moment,
    /// The CPU time it took; the time by the clock where the platform does not tell.
    pub busy: Duration,
}

/// [`parse_page`], with what it took.
pub fn parse_in_shift(page: PageInput) -> (Result<Parsed, TooDeep>, Shift) {
    let (began, cpu) = (Moment::now(), thread_cpu());
    let parsed = parse_page(page);
    let ended = Moment::now();
    let busy = cpu
        .zip(thread_cpu())
        .map(|(before, after)| after.saturating_sub(before));
    let shift = Shift {
        worker: (process::id(), rayon::current_thread_index()),
        began,
        ended,
        busy: busy.unwrap_or(ended - began),
    };
    (parsed, shift)
}

/// All shifts of a crawl, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// Pages.
    pub pages: usize,
    /// CPU time of parsing.
    pub busy: Duration,
    /// Time that workers had a page in hand.
    pub open: Duration,
    /// The last moment at which each worker had one.
    last: BTreeMap<(u32, Option<usize>), Moment>,
}

impl Shifts {
    /// Adds one.
    pub fn add(&mut self, shift: &Shift) {
        self.pages += 1;
        self.busy += shift.busy;
        self.open += shift.ended - shift.began;
        let last = self.last.entry(shift.worker).or_default();
        *last = shift.ended.max(*last);
    }

    /// The process whose last word is the oldest.
    pub fn longest_at_work(&self) -> Option<u32> {
        let oldest = self.last.iter().min_by_key(|(_, last)| **last);
        oldest.map(|((process, _), _)| *process)
    }

    /// How long workers that were out of pages waited for the last page of all, added up.
    pub fn waited_at_the_end(&self) -> Duration {
        let end = self.last.values().copied().max().unwrap_or_default();
        self.last.values().map(|&last| end - last).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_end_all_wait_for_the_last_page() {
        let at = |ms| Moment::at(Duration::from_millis(ms));
        let mut shifts = Shifts::default();
        for (thread, began, ended) in [(0, 0, 10), (1, 0, 30), (0, 10, 20), (1, 30, 90)] {
            shifts.add(&Shift {
                worker: (1, Some(thread)),
                began: at(began),
                ended: at(ended),
                busy: Duration::from_millis(1),
            });
        }
        assert_eq!(shifts.open, Duration::from_millis(110));
        assert_eq!(shifts.busy, Duration::from_millis(4));
        assert_eq!(shifts.waited_at_the_end(), Duration::from_millis(70));
        assert_eq!(Shifts::default().waited_at_the_end(), Duration::ZERO);
    }
}
