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
    /// Between the starts of two workers.
    pub(super) stagger: f64,
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
}

/// So long a thread may compute before another gets its turn, about, on Linux.
const TURN: f64 = 0.003;
/// A long item is cut into no more turns than this.
const TURNS: f64 = 16.0;
/// So many items are simulated; more of them go on at the same rate.
const SIMULATED: usize = 50_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The wait is over; so much is left to compute.
    Ready(u64),
    /// A turn is over; so much is left.
    Ran(u64),
}

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
        let nanoseconds = |seconds: f64| (seconds * 1e9) as u64;
        let (wait, cpu) = (nanoseconds(self.wait), nanoseconds(self.cpu).max(1));
        let turn = match self.takes_turns {
            true => nanoseconds(TURN.max(self.cpu / TURNS)),
            false => u64::MAX,
        };
        let (mut events, mut ready) = (BinaryHeap::new(), VecDeque::new());
        let mut taken = self.at_once.min(items);
        for worker in 0..taken {
            let begins = nanoseconds(self.start + self.stagger * (worker + 1) as f64);
            events.push(Reverse((begins + wait, Event::Ready(cpu))));
        }
        let (mut running, mut last) = (0, nanoseconds(self.start));
        while let Some(Reverse((now, event))) = events.pop() {
            match event {
                Event::Ready(left) => ready.push_back(left),
                Event::Ran(left) => {
                    running -= 1;
                    last = now;
                    if left > 0 {
                        ready.push_back(left);
                    } else if taken < items {
                        taken += 1;
                        events.push(Reverse((now + wait, Event::Ready(cpu))));
                    }
                }
            }
            while running < self.cores
                && let Some(left) = ready.pop_front()
            {
                running += 1;
                let part = left.min(turn);
                let slower = (running as f64 / self.free).max(1.0);
                let ends = now + (part as f64 * slower) as u64;
                events.push(Reverse((ends, Event::Ran(left - part))));
            }
        }
        last as f64 / 1e9
    }
}
