//! What the others are measured by: the least that passing a number on can be.

use super::{CAPACITY, check, timed};
use std::{
    collections::VecDeque,
    hint::black_box,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often one looks again before it lets others have the CPU.
const LOOKS: u32 = 64;

/// One producer and one consumer over slots in memory; who finds nothing to do looks again.
struct Ring {
    slots: [AtomicU64; CAPACITY],
    written: AtomicUsize,
    read: AtomicUsize,
}

impl Ring {
    fn send(&self, numbers: impl Iterator<Item = u64>) {
        for (place, number) in numbers.enumerate() {
            // Acquire: pairs with the release in `sum`, so that the slot has been read.
            wait_until(|| place - self.read.load(Ordering::Acquire) < CAPACITY);
            self.slots[place % CAPACITY].store(number, Ordering::Relaxed);
            // Release: pairs with the acquire in `sum`, which then reads the slot.
            self.written.store(place + 1, Ordering::Release);
        }
    }

    fn sum(&self, count: u64) -> u64 {
        let mut sum = 0;
        let mut place = 0;
        while (place as u64) < count {
            // Acquire: pairs with the release in `send`.
            wait_until(|| self.written.load(Ordering::Acquire) > place);
            let written = self.written.load(Ordering::Acquire);
            while place < written {
                sum += self.slots[place % CAPACITY].load(Ordering::Relaxed);
                place += 1;
            }
            // Release: pairs with the acquire in `send`.
            self.read.store(place, Ordering::Release);
        }
        sum
    }
}

fn wait_until(is_so: impl Fn() -> bool) {
    let mut looks = 0;
    while !is_so() {
        looks += 1;
        if looks % LOOKS == 0 {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

pub(super) fn ring(count: u64) -> anyhow::Result<Duration> {
    let ring = Ring {
        slots: [const { AtomicU64::new(0) }; CAPACITY],
        written: AtomicUsize::new(0),
        read: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        let consumer = scope.spawn(|| ring.sum(count));
        let start = Instant::now();
        ring.send(0..count);
        let sum = consumer.join().expect("adding up does not panic");
        let took = start.elapsed();
        check([sum], count)?;
        Ok(took)
    })
}

/// Puts in and takes out again, in lots of what a bounded channel holds.
pub(super) fn deque(count: u64) -> anyhow::Result<Duration> {
    timed(count, &mut |count| {
        let mut queue = VecDeque::with_capacity(CAPACITY);
        let (mut next, mut sum) = (0, 0);
        while next < count {
            let end = count.min(next + CAPACITY as u64);
            queue.extend(next..end);
            black_box(&mut queue);
            sum += queue.drain(..).sum::<u64>();
            next = end;
        }
        [sum]
    })
}
