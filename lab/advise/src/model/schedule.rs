//! Workers that each take an item, wait, and then compute on CPUs that they share.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// What is to be simulated; times in seconds.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Before the first item.
    pub(super) start: f64,
    /// How many workers.
    pub(super) at_once: usize,
    /// Of an item.
    pub(super) wait: f64,
    /// Of an item, with what handing it over takes.
    pub(super) cpu: f64,
    /// That part of it.
    pub(super) overhead: f64,
    /// How many can compute at once.
    pub(super) cores: usize,
    /// How many CPUs they have between them.
    pub(super) free: f64,
    /// Whether the system takes the CPU from one to give it to the next; tasks and queues do not.
    pub(super) takes_turns: bool,
    /// Whether the next item is taken only after all that is ready has computed, as by a single-threaded executor.
    pub(super) stands_in_line: bool,
}

/// So long a thread may compute before another gets its turn, about, on Linux.
const TURN: f64 = 0.003;
/// A long item is cut into no more turns than this.
const TURNS: f64 = 16.0;
/// So many items are simulated; more of them go on at the same rate.
const SIMULATED: usize = 50_000;

impl Plan {
    /// How long so many items take.
    pub(super) fn makespan(&self, items: usize) -> f64 {
        let some = items.min(SIMULATED.max(4 * self.at_once));
        let whole = self.simulate(some);
        if some == items {
            return whole;
        }
        let half = self.simulate(some / 2);
        whole + (items - some) as f64 * (whole - half) / (some - some / 2) as f64
    }

    fn simulate(&self, items: usize) -> f64 {
        let [start, wait, cpu] = [self.start, self.wait, self.cpu].map(nanoseconds);
        let turn = match self.takes_turns {
            true => nanoseconds(TURN.max(self.cpu / TURNS)),
            false => u64::MAX,
        };
        let (mut now, mut taken, mut computing) = (start, 0, 0);
        // What is left of an item to compute; nothing is left of one that makes room for the next.
        let mut ready = VecDeque::from(vec![0; self.at_once.min(items)]);
        // When a wait or a turn on a CPU is over, and whether it is a turn.
        let mut events = BinaryHeap::new();
        loop {
            while let Some(left) = ready.pop_front_if(|left| *left == 0 || computing < self.cores) {
                if left > 0 {
                    computing += 1;
                    let part = left.min(turn);
                    let stretch = (computing as f64 / self.free).max(1.0);
                    let ends = now + (part as f64 * stretch) as u64;
                    events.push(Reverse((ends, true, left - part)));
                } else if taken < items {
                    taken += 1;
                    events.push(Reverse((now + wait, false, cpu.max(1))));
                }
            }
            let Some(Reverse((next, is_turn, left))) = events.pop() else {
                break;
            };
            now = next;
            computing -= usize::from(is_turn);
            match left == 0 && !self.stands_in_line {
                true => ready.push_front(left),
                false => ready.push_back(left),
            }
        }
        now as f64 / 1e9
    }
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
