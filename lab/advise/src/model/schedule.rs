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
    /// To start one worker, on a CPU.
    pub(super) starting: f64,
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

/// What needs a CPU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// An item, of which so much is left.
    Item(u64),
    /// The start of the worker of this number.
    Start(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A wait is over.
    Ready(Work),
    /// A turn on a CPU is over.
    Ran(Work),
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

    /// How long some work may have a CPU before others get their turn, and what is left of it then.
    fn turn_of(&self, work: Work) -> (u64, Work) {
        let turn = match self.takes_turns {
            true => nanoseconds(TURN.max(self.cpu / TURNS)),
            false => u64::MAX,
        };
        match work {
            Work::Item(left) => (left.min(turn), Work::Item(left.saturating_sub(turn))),
            Work::Start(_) => (nanoseconds(self.starting), work),
        }
    }

    /// How long some work takes while so many compute.
    fn stretched(&self, work: u64, running: usize) -> u64 {
        (work as f64 * (running as f64 / self.free).max(1.0)) as u64
    }

    fn simulate(&self, items: usize) -> f64 {
        let (wait, cpu) = (nanoseconds(self.wait), nanoseconds(self.cpu).max(1));
        let mut now = nanoseconds(self.start);
        let (mut taken, mut running, mut last) = (0, 0, now);
        let mut ready = VecDeque::from([Work::Start(1)]);
        let mut events = BinaryHeap::new();
        loop {
            while running < self.cores
                && let Some(work) = ready.pop_front()
            {
                running += 1;
                let (part, rest) = self.turn_of(work);
                let ends = now + self.stretched(part, running);
                events.push(Reverse((ends, Event::Ran(rest))));
            }
            let Some(Reverse((next, event))) = events.pop() else {
                return last as f64 / 1e9;
            };
            now = next;
            running -= usize::from(matches!(event, Event::Ran(_)));
            // The worker that ended an item takes the next, as does one that has started.
            match event {
                Event::Ready(work) | Event::Ran(work @ Work::Item(1..)) => {
                    ready.push_back(work);
                    continue;
                }
                Event::Ran(Work::Item(_)) => last = now,
                Event::Ran(Work::Start(worker)) if worker < self.at_once.min(items) => {
                    ready.push_front(Work::Start(worker + 1));
                }
                Event::Ran(Work::Start(_)) => {}
            }
            if taken < items {
                taken += 1;
                events.push(Reverse((now + wait, Event::Ready(Work::Item(cpu)))));
            }
        }
    }
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}
